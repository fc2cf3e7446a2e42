/**
 * How the agent reaches the world: straight, or through the proxy that its network ends at. The model's shell is told of
 * the proxy by its environment; what the proxy refused meanwhile is asked for here.
 */
import { REFUSALS_PATH, refusalsSchema } from "../../src/contracts/egress.ts";

/** The proxy stands beside the agent; one that does not answer at once must not hold up the work. */
const ASK_MS = 2_000;

export type Fetch = typeof globalThis.fetch;

/** Servers that the model starts for its tests are reached without the proxy, which knows nothing of them. */
const INSIDE = "localhost,127.0.0.1,::1";

/** In every spelling that programs look for; the last one is Node's. */
export const proxyEnvironment = (proxy: string): Readonly<Record<string, string>> => ({
  ...{ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: INSIDE },
  ...{ http_proxy: proxy, https_proxy: proxy, no_proxy: INSIDE },
  NODE_USE_ENV_PROXY: "1",
});

/** For the provider, which is never inside of the container, so that nothing but the proxy leads to it. */
export async function fetchThrough(proxy: string): Promise<Fetch> {
  // By its default, which is all that the bundle knows of a package like this.
  const { fetch, ProxyAgent } = (await import("undici")).default;
  // How long an answer may take is the caller's to say.
  const dispatcher = new ProxyAgent({ uri: proxy, headersTimeout: 0, bodyTimeout: 0 });
  // Node's types are those of the undici inside of it, which is another version.
  type Ours = Parameters<typeof fetch>;
  return (input, init) => fetch(input as Ours[0], { ...(init as Ours[1]), dispatcher });
}

/** Asks for what is new since it was asked last. */
export class Refused {
  readonly #address: string | null;
  #seen = 0;

  /** Of the gateway, or of the proxy where there is none. */
  constructor(address: string | null) {
    this.#address = address;
  }

  async news(): Promise<readonly string[]> {
    if (this.#address === null) return [];
    try {
      const url = new URL(`${REFUSALS_PATH}?after=${this.#seen}`, this.#address);
      const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) });
      const { refusals } = refusalsSchema.parse(await answer.json());
      this.#seen = refusals.at(-1)?.seq ?? this.#seen;
      return refusals.map(({ sentence }) => sentence);
    } catch {
      // Nothing is lost: the next one who asks is told.
      return [];
    }
  }
}
