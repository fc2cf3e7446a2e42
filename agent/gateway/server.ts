/**
 * The HTTP server next to the agent: a path is a model call or a question to the gateway, an absolute URL or CONNECT
 * goes to the proxy. Either part can be disabled.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { z } from "zod";
import { REFUSALS_PATH } from "../../src/contracts/egress.ts";
import { head } from "../../src/text/text.ts";
import { sayError, sayJson } from "./errors.ts";
import type { ModelEndpoint } from "./model-endpoint.ts";
import { type EgressProxy, refuseTunnel, say } from "./proxy.ts";
import type { Refusals } from "./refusals.ts";

/** Concurrent connections of one job. */
const MOST_CONNECTIONS = 512;
/** Of these, connections that have not sent a request. One more replaces the oldest. */
const MOST_SILENT = 256;
const HEADERS_MS = 10_000;

const NO_PROXY = "This is no proxy: jobs of this repository reach other hosts without one.\n";
const NO_MODEL = "This is a proxy: it takes http:// addresses, and CONNECT for everything else.\n";

export interface Parts {
  readonly endpoint: ModelEndpoint | null;
  readonly proxy: EgressProxy | null;
  readonly refusals: Refusals;
  /** Called with failures that should never happen. */
  readonly tell: (sentence: string) => void;
}

export interface Serving {
  readonly port: number;
  close(): void;
}

async function route(
  { endpoint, proxy, refusals }: Parts,
  asked: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const { url = "", method } = asked;
  const asksUs = new RegExp(`^${REFUSALS_PATH}\\?after=(\\d{1,9})$`).exec(url);
  if (asksUs !== null && method === "GET") return sayJson(answer, 200, { refusals: refusals.after(Number(asksUs[1])) });
  if (url.startsWith("/") && endpoint !== null) return endpoint.handle(asked, answer);
  if (proxy === null) return say(answer, 403, NO_PROXY);
  const whole = URL.canParse(url) ? new URL(url) : null;
  if (whole?.protocol !== "http:") return say(answer, 400, NO_MODEL);
  return proxy.forward(asked, answer, whole);
}

/** The error may quote addresses and names from programs that the model runs. */
const wordsOf = (error: unknown): string =>
  head((error instanceof Error ? error.message : String(error)).replace(/[^ -~]/g, "?"), 200);

export async function startServer(parts: Parts, host: string, port = 0): Promise<Serving> {
  const clients = new Set<Socket>();
  const silent = new Set<Socket>();
  const times = { headersTimeout: HEADERS_MS, connectionsCheckingInterval: 1_000 };
  const failed = (error: unknown): void => parts.tell(`A request failed in the gateway: ${wordsOf(error)}.`);
  const server = createServer(times, (asked, answer) => {
    silent.delete(asked.socket);
    route(parts, asked, answer).catch((error: unknown) => {
      failed(error);
      sayError(answer, { type: "api_error", message: "The request failed in the gateway, whose log says why." });
    });
  });
  server.on("connect", (asked, client, first) => {
    silent.delete(asked.socket);
    client.on("error", () => client.destroy());
    if (parts.proxy === null) return refuseTunnel(client, 403, NO_PROXY.trimEnd());
    parts.proxy.tunnel(asked, client, first).catch((error: unknown) => {
      failed(error);
      client.destroy();
    });
  });
  server.on("connection", (client) => {
    clients.add(client);
    silent.add(client);
    client.once("close", () => {
      clients.delete(client);
      silent.delete(client);
    });
    const [oldest] = silent;
    if (silent.size > MOST_SILENT) oldest?.destroy();
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return {
    port: z.object({ port: z.number() }).parse(server.address()).port,
    close() {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}
