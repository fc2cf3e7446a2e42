/**
 * Sends one POST to a receiver: keep-alive, no redirects, a bounded response, and a limit of ten seconds. Returns the
 * outcome. Uses undici's client below `fetch`, which costs several times as much per call.
 */
import { isIP, type Socket } from "node:net";
import { LRUCache } from "lru-cache";
import { buildConnector, type Dispatcher, Pool } from "undici";
import { isPublic } from "../contracts/public-address.ts";
import type { Clock } from "../engine/ports/clock.ts";
import { hostOf } from "./address.ts";
import { createResolve, guardedLookup, NOT_PUBLIC, notPublic, type Resolve } from "./resolve-host.ts";
import { isBusy, retryAfterHeader, retryAfterInBody } from "./retry-after.ts";
import { Timeouts } from "./timeouts.ts";

/** From the first byte sent to the end of the response. */
export const ANSWER_LIMIT_MS = 10_000;
/** Bytes of a response to read, so that its connection can be reused. Of a busy receiver they may say until when. */
const ANSWER_BYTES = 4 * 1024;
/** How long an idle connection stays open. */
const IDLE_MS = 15_000;
/** Cached encoded bodies: one event goes to many receivers in a row. */
const MAX_BODIES = 64;
/** Receivers with cached connections, and parsed addresses. */
const MAX_ORIGINS = 2_000;

export interface Posted {
  /** Null when there was no response. */
  readonly status: number | null;
  /** A short description; null when the status says enough. */
  readonly error: string | null;
  /** From the response's Retry-After header, or what its JSON says of it. */
  readonly retry_after_ms: number | null;
}

/** `headers`: names and values alternating. */
export type Post = (url: string, headers: string[], body: string) => Promise<Posted>;

export interface Poster {
  readonly post: Post;
  close(): void;
}

/** A parsed address, cached. */
interface Target {
  readonly origin: string;
  readonly path: string;
  readonly host: string;
  /** An IP literal that is not public, for which no lookup would happen. */
  readonly refused: boolean;
}

export interface PosterParts {
  readonly clock: Clock;
  readonly allow_private: boolean;
  /** Defaults to {@link createResolve}. */
  readonly resolve?: Resolve;
  /** Defaults to {@link ANSWER_LIMIT_MS}. */
  readonly answer_limit_ms?: number;
}

const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was reset",
  UND_ERR_SOCKET: "the connection was reset",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  ENOTFOUND: "the name is not known",
  ENODATA: "the name is not known",
  EAI_AGAIN: "the name could not be looked up",
  ETIMEDOUT: "the connection timed out",
  EHOSTUNREACH: "the address cannot be reached",
  ENETUNREACH: "the address cannot be reached",
  [NOT_PUBLIC]: "the address is not on the public internet",
};

/** The reason for aborting an exchange ourselves; not reported. */
const ENOUGH = new Error("no more of the answer is wanted");
const TAKEN_ALREADY = "UND_ERR_SOCKET";

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "");

const wordsOf = (error: Error): string =>
  CONNECT_ERRORS[codeOf(error)] ?? `the connection failed (${codeOf(error) || "unknown reason"})`;

const unanswered = (error: string): Posted => ({ status: null, error, retry_after_ms: null });

/** Checks the socket's remote address before anything is written. */
function checkedConnector(lookup: ReturnType<typeof guardedLookup>, allow_private: boolean): buildConnector.connector {
  const connect = buildConnector({ lookup, timeout: ANSWER_LIMIT_MS, allowH2: false });
  return (options, callback) =>
    connect(options, (...[error, socket]: [Error, null] | [null, Socket]) => {
      const { remoteAddress = "nobody" } = socket ?? {};
      if (error !== null) return callback(error, null);
      if (allow_private || isPublic(remoteAddress)) return callback(null, socket);
      socket.destroy();
      callback(notPublic(remoteAddress), null);
    });
}

interface Exchange {
  readonly pool: Pool;
  readonly request: Dispatcher.DispatchOptions;
  readonly deadlines: Timeouts;
  readonly wall: () => number;
}

/** "again": nothing was sent, since the connection had been closed. */
function exchange({ pool, request, deadlines, wall }: Exchange): Promise<Posted | "again"> {
  return new Promise((done) => {
    let answer: Posted | null = null;
    let controller: Dispatcher.DispatchController | null = null;
    let bytes = 0;
    let over = false;
    const kept: Buffer[] = [];
    /** Of the answer that came whole. */
    const read = (whole: Posted): Posted =>
      kept.length === 0 ? whole : { ...whole, retry_after_ms: retryAfterInBody(Buffer.concat(kept).toString()) };
    const end = (posted: Posted | "again"): void => {
      cancel();
      done(posted);
    };
    const cancel = deadlines.start(() => {
      over = true;
      // A response that does not end still has a status.
      end(answer ?? unanswered("there was no answer in time"));
      controller?.abort(ENOUGH);
    });
    pool.dispatch(request, {
      onRequestStart(started) {
        controller = started;
        // The request has waited for a connection all the time.
        if (over) started.abort(ENOUGH);
      },
      onResponseStart(_, status, headers) {
        // Skips informational responses such as 103.
        if (status < 200) return;
        const error = status >= 300 && status < 400 ? "redirects are not followed" : null;
        answer = { status, error, retry_after_ms: retryAfterHeader(headers["retry-after"], wall()) };
      },
      onResponseData(reading, chunk) {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES) reading.abort(ENOUGH);
        else if (answer?.retry_after_ms === null && isBusy(answer.status)) kept.push(chunk);
      },
      onResponseEnd: () => end(answer === null ? unanswered("the answer was empty") : read(answer)),
      onResponseError: (_, error) =>
        end(answer ?? (codeOf(error) === TAKEN_ALREADY ? "again" : unanswered(wordsOf(error)))),
    });
  });
}

export function createPoster(parts: PosterParts): Poster {
  const { clock, allow_private, resolve = createResolve(), answer_limit_ms = ANSWER_LIMIT_MS } = parts;
  const connect = checkedConnector(guardedLookup(resolve, allow_private), allow_private);
  const wall = clock.wall ?? clock.now;
  const deadlines = new Timeouts(clock, answer_limit_ms);
  const pools = new LRUCache<string, Pool>({
    max: MAX_ORIGINS,
    // Requests in progress finish first.
    dispose: (pool) => void pool.close().catch(() => undefined),
  });

  const bodies = new LRUCache<string, Buffer>({ max: MAX_BODIES });

  const bytesOf = (body: string): Buffer => {
    const known = bodies.get(body);
    if (known !== undefined) return known;
    const bytes = Buffer.from(body);
    bodies.set(body, bytes);
    return bytes;
  };

  const targets = new LRUCache<string, Target>({ max: MAX_ORIGINS });

  const targetOf = (address: string): Target => {
    const known = targets.get(address);
    if (known !== undefined) return known;
    const url = new URL(address);
    const host = hostOf(url);
    const refused = !allow_private && isIP(host) !== 0 && !isPublic(host);
    const target = { origin: url.origin, path: `${url.pathname}${url.search}`, host, refused };
    targets.set(address, target);
    return target;
  };

  const poolOf = (origin: string): Pool => {
    const known = pools.get(origin);
    if (known !== undefined) return known;
    // No limit here: the queues limit concurrency, and receivers on one host must not block each other.
    const limits = { connections: null, keepAliveTimeout: IDLE_MS, headersTimeout: 0, bodyTimeout: 0 };
    const pool = new Pool(origin, { connect, allowH2: false, ...limits });
    pools.set(origin, pool);
    return pool;
  };

  return {
    async post(address, headers, body) {
      const { origin, path, host, refused } = targetOf(address);
      if (refused) return unanswered(wordsOf(notPublic(host)));
      const pool = poolOf(origin);
      const request = { method: "POST", path, headers, body: bytesOf(body) } as const;
      const posted = await exchange({ pool, request, deadlines, wall });
      // The server may just have closed a kept connection, which says nothing about the receiver.
      const second = posted === "again" ? await exchange({ pool, request, deadlines, wall }) : posted;
      return second === "again" ? unanswered(CONNECT_ERRORS[TAKEN_ALREADY] ?? "") : second;
    },
    close() {
      for (const pool of pools.values()) void pool.destroy().catch(() => undefined);
      pools.clear();
    },
  };
}
