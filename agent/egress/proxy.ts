/**
 * The proxy that is a job's only way out: CONNECT for TLS, absolute addresses for plain HTTP, to hosts of the list and
 * nowhere else. It reads no content and keeps none. What lies behind a host it cannot see, such as other names that the
 * same servers answer to.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { REFUSALS_PATH } from "../../src/wire/egress.ts";
import { type AllowList, plainHost, type Target } from "./allow-list.ts";
import { dial, type DialPorts } from "./dial.ts";
import { Refusals } from "./refusals.ts";

/** Sockets of one job at once. */
const MOST_CONNECTIONS = 512;
const HEADERS_MS = 30_000;
/** A model may think for minutes before its first word, and its connection is silent meanwhile. */
const IDLE_MS = 15 * 60_000;

export interface ProxySetup {
  readonly allows: AllowList;
  readonly world: DialPorts;
  /** Told of each refusal once. */
  readonly onRefusal: (sentence: string) => void;
}

export interface EgressProxy {
  readonly port: number;
  close(): void;
}

type Opened =
  | { readonly ok: true; readonly socket: Socket }
  | { readonly ok: false; readonly status: 403 | 502; readonly sentence: string };

/** Whose meaning ends at the next machine (RFC 9110, 7.6.1), and what would tell others of the proxy's own business. */
const OWN_HEADERS = new Set(
  ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"].concat([
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
  ]),
);

function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name) && !named.has(name)));
}

/** `host:port`, as CONNECT names its target. */
function targetOf(authority: string): Target | null {
  const found = /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+):(\d{1,5})$/i.exec(authority);
  const port = Number(found?.[2]);
  if (found?.[1] === undefined || port < 1 || port > 65_535) return null;
  return { host: plainHost(found[1]), port };
}

function refuseTunnel(client: Duplex, status: number, sentence: string): void {
  const body = `${sentence}\n`;
  const head = [`HTTP/1.1 ${status} ${status === 403 ? "Forbidden" : "Failed"}`, "content-type: text/plain"];
  const rest = [`content-length: ${Buffer.byteLength(body)}`, "connection: close", "", body];
  client.resume();
  client.end([...head, ...rest].join("\r\n"));
}

/** Each way ends by itself; whoever breaks off takes the other along. */
function join(client: Duplex, socket: Socket): void {
  const over = (error: Error | null | undefined): void => {
    if (error) for (const side of [client, socket]) side.destroy();
  };
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  pipeline(client, socket, over);
  pipeline(socket, client, over);
}

export async function startProxy(setup: ProxySetup, host: string, port = 0): Promise<EgressProxy> {
  const refusals = new Refusals();
  const { allows, world, onRefusal } = setup;
  const clients = new Set<Socket>();

  const refused = (reason: string): Opened => {
    const sentence = `Not let through: ${reason}.`;
    if (refusals.add(sentence)) onRefusal(sentence);
    return { ok: false, status: 403, sentence };
  };

  const open = async (target: Target): Promise<Opened> => {
    const passage = allows(target);
    if (!passage.ok) return refused(passage.reason);
    const dialled = await dial(target, passage.anywhere, world);
    if (dialled.ok) return dialled;
    return dialled.refused ? refused(dialled.reason) : { ok: false, status: 502, sentence: `${dialled.reason}.` };
  };

  const tunnel = async ({ url = "" }: IncomingMessage, client: Duplex, head: Buffer): Promise<void> => {
    client.on("error", () => client.destroy());
    const target = targetOf(url);
    if (target === null) return refuseTunnel(client, 400, "CONNECT takes a host and a port.");
    const opened = await open(target);
    if (!opened.ok) return refuseTunnel(client, opened.status, opened.sentence);
    if (client.destroyed) return void opened.socket.destroy();
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    opened.socket.write(head);
    join(client, opened.socket);
  };

  const forward = async (asked: IncomingMessage, answer: ServerResponse, url: URL): Promise<void> => {
    const opened = await open({ host: plainHost(url.hostname), port: Number(url.port || 80) });
    if (!opened.ok) return say(answer, opened.status, `${opened.sentence}\n`);
    const { socket } = opened;
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    if (answer.destroyed) return void socket.destroy();
    const outgoing = request({
      createConnection: () => socket,
      method: asked.method,
      path: `${url.pathname}${url.search}`,
      headers: {
        ...passedOn(asked.headers),
        ...(asked.headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" }),
        // The host that was judged, whatever the request itself calls it.
        host: url.host,
        connection: "close",
      },
    });
    answer.once("close", () => socket.destroy());
    outgoing.once("error", () => {
      if (answer.headersSent) answer.destroy();
      else say(answer, 502, `${url.host} broke off before it answered.\n`);
    });
    outgoing.once("response", (response) => {
      const { statusCode = 0, headers } = response;
      // What is no status would be thrown back at us.
      answer.writeHead(statusCode < 200 || statusCode > 999 ? 502 : statusCode, passedOn(headers));
      pipeline(response, answer, () => {});
    });
    pipeline(asked, outgoing, () => {});
  };

  const server = createServer({ headersTimeout: HEADERS_MS }, (asked, answer) => {
    const { url = "", method } = asked;
    const asksUs = new RegExp(`^${REFUSALS_PATH}\\?after=(\\d{1,9})$`).exec(url);
    if (asksUs !== null && method === "GET")
      return say(answer, 200, JSON.stringify({ refusals: refusals.after(Number(asksUs[1])) }));
    if (!URL.canParse(url) || new URL(url).protocol !== "http:")
      return say(answer, 400, "This is a proxy: it takes http:// addresses, and CONNECT for everything else.\n");
    void forward(asked, answer, new URL(url));
  });
  server.on("connect", (asked, client, head) => void tunnel(asked, client, head));
  server.on("connection", (client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return {
    port: portOf(server.address()),
    close() {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}

function say(answer: ServerResponse, status: number, text: string): void {
  const type = text.startsWith("{") ? "application/json" : "text/plain";
  answer.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the proxy listens nowhere");
  return address.port;
}
