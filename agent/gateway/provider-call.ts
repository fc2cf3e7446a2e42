/**
 * Makes one call to the model's provider. Follows no redirects, and distinguishes a call
 * that never reached the provider from one that may have been charged.
 */
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";

/** Until the connection is established. */
const CONNECT_MS = 15_000;
/**
 * A model may think for minutes before its first word, and without streaming it stays silent until the answer is
 * complete.
 */
const IDLE_MS = 15 * 60_000;

export interface Call {
  readonly method: "GET" | "POST";
  /** Path and query below the provider's address. */
  readonly path: string;
  /** Those that authenticate it among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Called =
  | { readonly ok: true; readonly response: IncomingMessage }
  /** `charged`: the request was sent, so it may have been charged. */
  | { readonly ok: false; readonly charged: boolean; readonly reason: string };

/** `url`: without a trailing slash. */
export function callProvider(url: string, call: Call, signal: AbortSignal): Promise<Called> {
  const target = new URL(url + call.path);
  const secure = target.protocol === "https:";
  return new Promise((resolve) => {
    let sent = false;
    const outgoing = (secure ? secureRequest : plainRequest)(target, {
      method: call.method,
      signal,
      headers: {
        ...call.headers,
        accept: "application/json",
        // The gateway reads the answer, so it must not be compressed.
        "accept-encoding": "identity",
        "user-agent": "journeyman-gateway",
        // A kept connection that the provider just closed would look like a call that broke off.
        connection: "close",
        ...(call.body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(call.body) }),
      },
    });
    const late = setTimeout(() => outgoing.destroy(new Error("no connection in time")), CONNECT_MS);
    const connected = (): void => {
      clearTimeout(late);
      sent = true;
    };
    // Through a proxy, a secure socket is handed over when it is connected.
    outgoing.once("socket", (socket) =>
      socket.connecting ? socket.once(secure ? "secureConnect" : "connect", connected) : connected(),
    );
    outgoing.setTimeout(IDLE_MS, () => outgoing.destroy(new Error("no answer in time")));
    outgoing.once("response", (response) => resolve({ ok: true, response }));
    // Further errors may follow after the caller has gone.
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      resolve({ ok: false, charged: sent, reason: error.code ?? error.message });
    });
    outgoing.end(call.body);
  });
}
