/**
 * One POST to a receiver: kept connections, no redirects, a bounded answer, and an end after ten seconds whatever the
 * other side does. Says how it went; decides nothing. Not the global `fetch`, which costs three times as much.
 */
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { LRUCache } from "lru-cache";
import type { Clock } from "../engine/ports.ts";
import { hostOf, isPublic } from "./address.ts";
import { Deadlines } from "./deadlines.ts";
import { createResolve, guardedLookup, NOT_PUBLIC, notPublic, type Resolve } from "./resolve.ts";

/** From the first byte to the answer's end. */
export const ANSWER_LIMIT_MS = 10_000;
/** An answer is read so far, to keep its connection; what it says is not kept. */
const ANSWER_BYTES = 4 * 1024;
/** Connections to one receiver that wait for more work, and how long. */
const IDLE_SOCKETS = 8;
const IDLE_MS = 15_000;

export interface Posted {
  /** Null: there was no answer. */
  readonly status: number | null;
  /** In a few words; null where the status says it all. */
  readonly error: string | null;
  /** As the answer's header asks for it. */
  readonly retry_after_ms: number | null;
}

/** `headers`: names and values in turn. */
export type Post = (url: string, headers: readonly string[], body: string) => Promise<Posted>;

export interface Poster {
  readonly post: Post;
  close(): void;
}

/** An address as it is connected to. */
interface Target {
  readonly options: RequestOptions;
  readonly refused: boolean;
  /** With its port, as the header says it. */
  readonly host: string;
  readonly request: typeof http.request;
}

/** Addresses that are kept taken apart. */
const MOST_TARGETS = 2_000;

interface PosterParts {
  readonly clock: Clock;
  readonly allow_private: boolean;
  /** {@link createResolve}, unless somebody else knows the names. */
  readonly resolve?: Resolve;
  /** {@link ANSWER_LIMIT_MS}, unless a test has less patience. */
  readonly answer_limit_ms?: number;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ENOTFOUND: "the name is not known",
  ENODATA: "the name is not known",
  EAI_AGAIN: "the name could not be looked up",
  ETIMEDOUT: "the connection timed out",
  EHOSTUNREACH: "the address cannot be reached",
  ENETUNREACH: "the address cannot be reached",
  [NOT_PUBLIC]: "the address is not on the public internet",
};

const wordsOf = (error: NodeJS.ErrnoException): string =>
  WORDS[error.code ?? ""] ?? `the connection failed (${error.code ?? "unknown reason"})`;

function retryAfter(response: IncomingMessage, now: number): number | null {
  const said = response.headers["retry-after"];
  if (said === undefined) return null;
  const ms = /^\d+$/.test(said) ? Number(said) * 1_000 : Date.parse(said) - now;
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}

/** Checked once more where it counts: the address at the other end of the socket, before anything is written to it. */
function checkSocket(request: ClientRequest): void {
  request.once("socket", (socket) => {
    if (request.reusedSocket) return;
    const check = (): void => {
      const { remoteAddress } = socket;
      if (remoteAddress === undefined || !isPublic(remoteAddress))
        request.destroy(notPublic(remoteAddress ?? "nobody"));
    };
    if (socket.connecting) socket.prependOnceListener("connect", check);
    else check();
  });
}

export function createPoster(parts: PosterParts): Poster {
  const { clock, allow_private, resolve = createResolve(), answer_limit_ms = ANSWER_LIMIT_MS } = parts;
  const kept = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS, timeout: answer_limit_ms + IDLE_MS };
  const agents = { http: new http.Agent(kept), https: new https.Agent(kept) };
  const lookup = guardedLookup(resolve, allow_private);

  const deadlines = new Deadlines(clock, answer_limit_ms);
  const targets = new LRUCache<string, Target>({ max: MOST_TARGETS });

  const targetOf = (address: string): Target => {
    const known = targets.get(address);
    if (known !== undefined) return known;
    const url = new URL(address);
    const secure = url.protocol === "https:";
    const host = hostOf(url);
    const options = {
      ...{ method: "POST", host, path: `${url.pathname}${url.search}`, lookup },
      ...(url.port === "" ? {} : { port: url.port }),
      agent: secure ? agents.https : agents.http,
    };
    const refused = !allow_private && isIP(host) !== 0 && !isPublic(host);
    const target = { options, refused, host: url.host, request: secure ? https.request : http.request };
    targets.set(address, target);
    return target;
  };

  const send = (target: Target, headers: readonly string[], body: string): Promise<Posted | "again"> =>
    new Promise((done) => {
      let answer: Posted | null = null;
      const length = String(Buffer.byteLength(body));
      const all = ["host", target.host, "content-length", length, ...headers];
      const request = target.request({ ...target.options, headers: all });
      const end = (posted: Posted | "again"): void => {
        cancel();
        done(posted);
      };
      const cancel = deadlines.start(() => {
        // an answer that does not end is an answer all the same
        end(answer ?? { status: null, error: "there was no answer in time", retry_after_ms: null });
        request.destroy();
      });
      if (!allow_private) checkSocket(request);
      request.on("error", (error) => {
        const closed_meanwhile = request.reusedSocket && "code" in error && error.code === "ECONNRESET";
        end(answer ?? (closed_meanwhile ? "again" : { status: null, error: wordsOf(error), retry_after_ms: null }));
      });
      request.on("response", (response) => {
        const { statusCode: status = 0 } = response;
        const error = status >= 300 && status < 400 ? "redirects are not followed" : null;
        const answered = { status, error, retry_after_ms: retryAfter(response, clock.now()) };
        answer = answered;
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > ANSWER_BYTES) request.destroy();
        });
        response.on("error", () => end(answered));
        response.on("close", () => end(answered));
      });
      request.end(body);
    });

  return {
    async post(address, headers, body) {
      const target = targetOf(address);
      if (target.refused) return { status: null, error: wordsOf(notPublic(target.host)), retry_after_ms: null };
      // a kept connection may have been closed by the other side just now, which says nothing of the receiver
      for (let tries = 1; ; tries++) {
        const posted = await send(target, headers, body);
        if (posted !== "again") return posted;
        if (tries > IDLE_SOCKETS) return { status: null, error: WORDS.ECONNRESET ?? null, retry_after_ms: null };
      }
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}
