/**
 * The HTTP server next to the agent: a path is a model call or a question to the gateway, an absolute URL or CONNECT
 * goes to the proxy. Either part can be disabled.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import * as z from "zod";
import { REFUSALS_PATH } from "../../src/contracts/egress.ts";
import { head } from "../../src/text/text.ts";
import { sendError, sendJson } from "./errors.ts";
import type { ModelEndpoint } from "./model-endpoint.ts";
import { type EgressProxy, refuseTunnel, sendText } from "./proxy.ts";
import type { Refusals } from "./refusals.ts";

/** Concurrent connections of one job. */
const MAX_CONNECTIONS = 512;
/** Of these, connections that have not sent a request. One more replaces the oldest. */
const MAX_SILENT = 256;
const HEADERS_MS = 10_000;

const NO_PROXY = "This is not a proxy: jobs of this repository reach other hosts directly.\n";
const NO_MODEL = "This is a proxy: it takes http:// addresses, and CONNECT for everything else.\n";

export interface Parts {
  readonly endpoint: ModelEndpoint | null;
  readonly proxy: EgressProxy | null;
  readonly refusals: Refusals;
  /** Called with failures that should never happen. */
  readonly print: (sentence: string) => void;
}

export interface Serving {
  readonly port: number;
  close(): void;
}

async function route(
  { endpoint, proxy, refusals }: Parts,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const { url = "", method } = incoming;
  const asksUs = new RegExp(`^${REFUSALS_PATH}\\?after=(\\d{1,9})$`).exec(url);
  if (asksUs !== null && method === "GET")
    return sendJson(answer, 200, { refusals: refusals.after(Number(asksUs[1])) });
  if (url.startsWith("/") && endpoint !== null) return endpoint.handle(incoming, answer);
  if (proxy === null) return sendText(answer, 403, NO_PROXY);
  const whole = URL.canParse(url) ? new URL(url) : null;
  if (whole?.protocol !== "http:") return sendText(answer, 400, NO_MODEL);
  return proxy.forward(incoming, answer, whole);
}

/** The error may quote addresses and names from programs that the model runs. */
const messageOf = (error: unknown): string =>
  head((error instanceof Error ? error.message : String(error)).replace(/[^ -~]/g, "?"), 200);

export async function startServer(parts: Parts, host: string, port = 0): Promise<Serving> {
  const clients = new Set<Socket>();
  const silent = new Set<Socket>();
  const times = { headersTimeout: HEADERS_MS, connectionsCheckingInterval: 1_000 };
  const failed = (error: unknown): void => parts.print(`A request failed in the gateway: ${messageOf(error)}.`);
  const server = createServer(times, (incoming, answer) => {
    silent.delete(incoming.socket);
    route(parts, incoming, answer).catch((error: unknown) => {
      failed(error);
      sendError(answer, { type: "api_error", message: "The gateway failed to handle the request; see its log." });
    });
  });
  server.on("connect", (incoming, client, first) => {
    silent.delete(incoming.socket);
    client.on("error", () => client.destroy());
    if (parts.proxy === null) return refuseTunnel(client, 403, NO_PROXY.trimEnd());
    parts.proxy.tunnel(incoming, client, first).catch((error: unknown) => {
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
    if (silent.size > MAX_SILENT) oldest?.destroy();
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return {
    port: z.object({ port: z.number() }).parse(server.address()).port,
    close() {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}
