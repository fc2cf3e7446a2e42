/**
 * The forward proxy that is a job's only way out: CONNECT for TLS, absolute URLs for plain HTTP, to allowed hosts only.
 * It does not inspect content, so it cannot tell apart several names that one server hosts.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { type AllowList, plainHost, type Target } from "./allow-list.ts";
import { type DialPorts, dial } from "./dial.ts";

/** A model may think for minutes before its first word while the connection is silent. */
const IDLE_MS = 15 * 60_000;

export interface ProxySetup {
  readonly allows: AllowList;
  readonly dialPorts: DialPorts;
  /** Called with each refusal, a sentence without its full stop. */
  readonly onRefusal: (reason: string) => void;
}

export interface EgressProxy {
  tunnel(incoming: IncomingMessage, client: Duplex, head: Buffer): Promise<void>;
  forward(incoming: IncomingMessage, answer: ServerResponse, url: URL): Promise<void>;
}

type Opened =
  | { readonly ok: true; readonly socket: Socket }
  | { readonly ok: false; readonly status: 403 | 502; readonly sentence: string };

/** Hop-by-hop headers (RFC 9110, 7.6.1), and those that would disclose the proxy. */
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

/** Parses CONNECT's target, `host:port`. */
function targetOf(authority: string): Target | null {
  const found = /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+):(\d{1,5})$/i.exec(authority);
  const port = Number(found?.[2]);
  if (found?.[1] === undefined || port < 1 || port > 65_535) return null;
  return { host: plainHost(found[1]), port };
}

export function refuseTunnel(client: Duplex, status: number, sentence: string): void {
  const body = `${sentence}\n`;
  const head = [`HTTP/1.1 ${status} ${status === 403 ? "Forbidden" : "Failed"}`, "content-type: text/plain"];
  const rest = [`content-length: ${Buffer.byteLength(body)}`, "connection: close", "", body];
  client.resume();
  client.end([...head, ...rest].join("\r\n"));
}

/** Joins both directions; an error on either side closes the other. */
function join(client: Duplex, socket: Socket): void {
  const over = (error: Error | null | undefined): void => {
    if (error) for (const side of [client, socket]) side.destroy();
  };
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  pipeline(client, socket, over);
  pipeline(socket, client, over);
}

export function createProxy({ allows, dialPorts, onRefusal }: ProxySetup): EgressProxy {
  const refused = (reason: string): Opened => {
    onRefusal(reason);
    return { ok: false, status: 403, sentence: `Blocked: ${reason}.` };
  };

  const open = async (target: Target): Promise<Opened> => {
    const decision = allows(target);
    if (!decision.ok) return refused(decision.reason);
    const dialled = await dial(target, decision.anywhere, dialPorts);
    if (dialled.ok) return dialled;
    return dialled.refused ? refused(dialled.reason) : { ok: false, status: 502, sentence: `${dialled.reason}.` };
  };

  const tunnel: EgressProxy["tunnel"] = async ({ url = "" }, client, head) => {
    const target = targetOf(url);
    if (target === null) return refuseTunnel(client, 400, "CONNECT takes a host and a port.");
    const opened = await open(target);
    if (!opened.ok) return refuseTunnel(client, opened.status, opened.sentence);
    if (client.destroyed) return void opened.socket.destroy();
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    opened.socket.write(head);
    join(client, opened.socket);
  };

  const forward: EgressProxy["forward"] = async (incoming, answer, url) => {
    const opened = await open({ host: plainHost(url.hostname), port: Number(url.port || 80) });
    if (!opened.ok) return sendText(answer, opened.status, `${opened.sentence}\n`);
    const { socket } = opened;
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    if (answer.destroyed) return void socket.destroy();
    const outgoing = request({
      createConnection: () => socket,
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers: {
        ...passedOn(incoming.headers),
        ...(incoming.headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" }),
        // The host that was checked, whatever the request's own header says.
        host: url.host,
        connection: "close",
      },
    });
    answer.once("close", () => socket.destroy());
    const broken = (): void => {
      if (answer.writableEnded) return;
      if (answer.headersSent) answer.destroy();
      else sendText(answer, 502, `${url.host} broke off before it answered.\n`);
    };
    outgoing.once("error", broken);
    // A server that switches protocols although nobody asked for it.
    outgoing.once("upgrade", (_, upgraded) => {
      upgraded.destroy();
      broken();
    });
    outgoing.once("response", (response) => {
      const { statusCode = 0, headers } = response;
      // 204 has no body, whatever its headers say.
      if (statusCode === 204) {
        const { "content-length": _, ...rest } = passedOn(headers);
        return void answer.writeHead(statusCode, rest).end();
      }
      // `writeHead` throws on an invalid status.
      answer.writeHead(statusCode < 200 || statusCode > 999 ? 502 : statusCode, passedOn(headers));
      pipeline(response, answer, () => {});
    });
    pipeline(incoming, outgoing, () => {});
  };

  return { tunnel, forward };
}

export function sendText(answer: ServerResponse, status: number, text: string): void {
  answer.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(text) }).end(text);
}
