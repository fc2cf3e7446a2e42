/**
 * The listening socket. Listens before the rest is loaded and holds early requests until there is someone to answer
 * them; at the end lets answers that are under way finish. Knows nothing of routes.
 */
import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";

/** A request that arrives during the start waits this long; then it is told to come again. */
const HOLD_MS = 9_000;
const MAX_HELD = 1_000;
/** Answers under way at the end may take this long. */
const DRAIN_MS = 25_000;
/** Longer than the usual 60 s of a load balancer, which would else reuse a connection that we are closing. */
const KEEP_ALIVE_MS = 65_000;

export interface Gate {
  readonly port: number;
  readonly url: string;
  /** From now on this answers, the held requests first. */
  open(listener: RequestListener): void;
  /** Stops accepting, waits for what is under way, closes. */
  close(): Promise<void>;
}

function refuse(response: ServerResponse): void {
  response.writeHead(503, { "content-type": "application/json", "retry-after": "1" });
  response.end(JSON.stringify({ error: "The server is starting; try again in a second.", code: "starting" }));
}

const starting: RequestListener = (request, response) => {
  const live = request.url === "/health";
  response.writeHead(live ? 200 : 503, { "content-type": "application/json" });
  response.end(JSON.stringify(live ? { status: "ok" } : { ready: false }));
};

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

export async function openGate(where: { readonly host: string; readonly port: number }): Promise<Gate> {
  let listener: RequestListener | null = null;
  const held = new Set<() => void>();

  const hold: RequestListener = (request, response) => {
    if (request.url === "/health" || request.url === "/ready") return starting(request, response);
    if (held.size >= MAX_HELD) return refuse(response);
    const pass = (): void => {
      clearTimeout(timer);
      held.delete(pass);
      if (listener === null) refuse(response);
      else listener(request, response);
    };
    const timer = setTimeout(pass, HOLD_MS);
    held.add(pass);
  };

  const server = createServer((request, response) => (listener ?? hold)(request, response));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(where.port, where.host);
  await once(server, "listening").catch((error: unknown) => {
    throw new Error(sentenceOf(error, where), { cause: error });
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : where.port;

  return {
    port,
    url: `http://${localHost(where.host)}:${port}`,
    open(next) {
      listener = next;
      for (const pass of [...held]) pass();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const pass of [...held]) pass();
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      const last = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await closed;
      clearInterval(idle);
      clearTimeout(last);
    },
  };
}
