/**
 * HTTP access of the agent: direct, or through the proxy of a fenced network. The model's shell gets the proxy by
 * environment variables. Also fetches the proxy's refusals.
 */
import { REFUSALS_PATH, refusalsSchema } from "../../src/contracts/egress.ts";

/** The proxy runs next to the agent; a slow answer must not delay the work. */
const ASK_MS = 2_000;

export type Fetch = typeof globalThis.fetch;

/** Servers that the model starts for its tests are inside the container, where the proxy cannot reach them. */
const INSIDE = "localhost,127.0.0.1,::1";

/** In all common spellings; NODE_USE_ENV_PROXY is Node's. */
export const proxyEnvironment = (proxy: string): Readonly<Record<string, string>> => ({
  ...{ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: INSIDE },
  ...{ http_proxy: proxy, https_proxy: proxy, no_proxy: INSIDE },
  NODE_USE_ENV_PROXY: "1",
});

/** For the provider, which is always outside of the container. */
export async function fetchThrough(proxy: string): Promise<Fetch> {
  // Through `default`, the only export that the bundler keeps of a CommonJS package.
  const { fetch, ProxyAgent } = (await import("undici")).default;
  // The caller sets the time limits.
  const dispatcher = new ProxyAgent({ uri: proxy, headersTimeout: 0, bodyTimeout: 0 });
  // Node's types describe its built-in undici, which is another version.
  type Ours = Parameters<typeof fetch>;
  return (input, init) => fetch(input as Ours[0], { ...(init as Ours[1]), dispatcher });
}

/** Fetches the refusals since the last call. */
export class RefusalClient {
  readonly #address: string | null;
  #seen = 0;

  /** The gateway's address, or the proxy's when there is no gateway. */
  constructor(address: string | null) {
    this.#address = address;
  }

  async newRefusals(): Promise<readonly string[]> {
    if (this.#address === null) return [];
    try {
      const url = new URL(`${REFUSALS_PATH}?after=${this.#seen}`, this.#address);
      const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) });
      const { refusals } = refusalsSchema.parse(await answer.json());
      this.#seen = refusals.at(-1)?.seq ?? this.#seen;
      return refusals.map(({ sentence }) => sentence);
    } catch {
      // Nothing is lost: the next call returns them.
      return [];
    }
  }
}
