/**
 * The listening socket. Listens before the rest is loaded, holds early requests until they can be answered, and lets
 * running answers finish at the end. Answers readiness probes itself before the App is loaded and while it stops.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { VERSION } from "../../contracts/version.ts";
import { DRAIN_MS, HEADERS_MS, HOLD_MS, KEEP_ALIVE_MS, MAX_HELD, REQUEST_MS } from "../routing/limits.ts";
import { createMessageClasses, type MessageClasses } from "./message-classes.ts";
import { requestIds } from "./request-id.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

export interface EarlyListener {
  readonly port: number;
  readonly url: string;
  /** Of which its requests and responses are. */
  readonly messages: MessageClasses;
  /** From now on this answers, the held requests first. */
  open(listener: RequestListener): void;
  /** Stops accepting, waits for what is under way, closes. Called again, it waits for the same. */
  close(): Promise<void>;
}

/** How often it is looked for requests that take too long to arrive. */
const CHECK_MS = 2_000;

const STARTING = { error: "The server is starting; try again in a second.", code: "starting" };
const idOf = requestIds();

function answer(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    ...{
      "X-Request-Id": idOf(request),
      "Cache-Control": "no-store",
      "Content-Type": "application/json; charset=utf-8",
    },
    ...(status === 503 ? { "Retry-After": "1" } : {}),
  });
  response.end(JSON.stringify(body));
}

const notReady: RequestListener = (request, response) => answer(request, response, 503, { ready: false });
const alive: RequestListener = (request, response) =>
  answer(request, response, 200, { status: "ok", version: VERSION });
const refuse: RequestListener = (request, response) => answer(request, response, 503, STARTING);

/** Where this host is reached from the same machine. */
const localHost = (host: string): string => {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
};

function sentenceOf(error: unknown, { host, port }: { readonly host: string; readonly port: number }): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EADDRINUSE") return `Port ${port} is in use; stop what listens there, or set PORT to another one.`;
  if (code === "EACCES") return `Port ${port} needs more rights than this process has; set PORT to one above 1023.`;
  return `Cannot listen on ${host}, port ${port} (${String(code)}); check HOST and PORT.`;
}

/** How long a request may take to arrive. */
const RECEIVE_TIMEOUTS = {
  headersTimeout: HEADERS_MS,
  requestTimeout: REQUEST_MS,
  connectionsCheckingInterval: CHECK_MS,
};

export async function listenEarly(
  where: { readonly host: string; readonly port: number },
  timeouts: Partial<typeof RECEIVE_TIMEOUTS> = {},
): Promise<EarlyListener> {
  let listener: RequestListener | null = null;
  let closing = false;
  const held = new Set<() => void>();

  const hold: RequestListener = (request, response) => {
    if (request.url === "/health") return alive(request, response);
    if (held.size >= MAX_HELD) return refuse(request, response);
    const pass = (): void => {
      clearTimeout(timer);
      held.delete(pass);
      if (listener === null) refuse(request, response);
      else listener(request, response);
    };
    const timer = setTimeout(pass, HOLD_MS);
    held.add(pass);
  };

  const messages = createMessageClasses();
  const server = createServer({ ...RECEIVE_TIMEOUTS, ...timeouts, ...messages }, (request, response) => {
    const unready = (closing || listener === null) && request.url === "/ready";
    (unready ? notReady : (listener ?? hold))(request, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(where.port, where.host);
  await once(server, "listening").catch((error: unknown) => {
    throw new Error(sentenceOf(error, where), { cause: error });
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : where.port;

  const close = async (): Promise<void> => {
    const ended = once(server, "close");
    closing = true;
    server.close();
    for (const pass of [...held]) pass();
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const last = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await ended;
    clearInterval(idle);
    clearTimeout(last);
  };
  let closed: Promise<void> | null = null;

  return {
    port,
    messages,
    url: `http://${localHost(where.host)}:${port}`,
    open(next) {
      listener = next;
      for (const pass of [...held]) pass();
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}
