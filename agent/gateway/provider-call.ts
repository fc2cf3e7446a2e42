/**
 * One call to the model's provider: the only place that has the key. Follows no redirect, and tells a call that never
 * reached the provider from one that may have been charged.
 */
import { type IncomingMessage, request as plainRequest } from "node:http";
import { Agent, request as secureRequest } from "node:https";
import type { ModelError } from "./errors.ts";

/** Until there is a connection. */
const CONNECT_MS = 15_000;
/** A model may think for minutes before its first word, and one that does not stream says nothing until its last. */
const IDLE_MS = 15 * 60_000;

/** Without kept connections: one that the provider has just closed would look like a call that broke off. */
const AGENT = new Agent({ keepAlive: false });

export interface Provider {
  /** Without a slash at its end. */
  readonly url: string;
  /** Not the maker of the models that we know: a gateway of the repository's own, or a local model. */
  readonly own: boolean;
  /** What says whose account it is. Null: there is none, and the provider wants one. */
  readonly credentials: Readonly<Record<string, string>> | null;
  /** What calls are answered without them; missing: that the key is not set. */
  readonly no_key?: ModelError;
}

export interface Call {
  readonly method: "GET" | "POST";
  /** With its query, below the provider's address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Called =
  | { readonly ok: true; readonly response: IncomingMessage }
  /** `charged`: it may have been, for it was sent. */
  | { readonly ok: false; readonly charged: boolean; readonly reason: string };

export function callProvider({ url, credentials }: Provider, call: Call, signal: AbortSignal): Promise<Called> {
  const target = new URL(url + call.path);
  const secure = target.protocol === "https:";
  return new Promise((resolve) => {
    let sent = false;
    const outgoing = (secure ? secureRequest : plainRequest)(target, {
      method: call.method,
      agent: secure ? AGENT : false,
      signal,
      headers: {
        ...call.headers,
        ...credentials,
        accept: "application/json",
        // What is packed could not be read on its way.
        "accept-encoding": "identity",
        "user-agent": "journeyman-gateway",
        connection: "close",
        ...(call.body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(call.body) }),
      },
    });
    const late = setTimeout(() => outgoing.destroy(new Error("no connection in time")), CONNECT_MS);
    outgoing.once("socket", (socket) =>
      socket.once(secure ? "secureConnect" : "connect", () => {
        clearTimeout(late);
        sent = true;
      }),
    );
    outgoing.setTimeout(IDLE_MS, () => outgoing.destroy(new Error("no answer in time")));
    outgoing.once("response", (response) => resolve({ ok: true, response }));
    // More may come, once the caller has gone.
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      resolve({ ok: false, charged: sent, reason: error.code ?? error.message });
    });
    outgoing.end(call.body);
  });
}
