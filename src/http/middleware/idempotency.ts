/**
 * `Idempotency-Key`: a POST that creates, pays or messages is worked on once, however often it is sent. Wraps a route
 * before there is an answer to send; knows nothing of what the route does.
 *
 * Answers of 2xx, and a 402 with the job that was made, are kept for a day, for each API key and route; any other answer
 * frees the key. A request that arrives while the first is being worked on waits for it. When the process dies in the first, or the route throws, the
 * record stays without an answer, and nobody can know how far the work came. So the id of the work (of a job, of a
 * message) is drawn beforehand and is on disk before the work begins; the next attempt is handed the very same id, finds
 * what exists under it and goes on from there. Binding an id later would need another write for each request, and a
 * link from the job back to the key would need an index of keys in the jobs.
 *
 * Not for `POST /api/keys`: its answer holds an API key in clear, and what is kept here is on disk as it was said.
 */
import { hash } from "node:crypto";
import type { Request } from "express";
import type { JobId } from "../../domain/job/job.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { IdempotencyStore, StoredResponse } from "../../engine/ports/idempotency.ts";
import type { JobService } from "../../engine/ports/service.ts";
import { failure, type HttpResult } from "../routing/answer.ts";
import { digestOf } from "../routing/body.ts";
import { DUPLICATE_WAIT_MS, MAX_WAITING_DUPLICATES } from "../routing/limits.ts";
import { principalOf } from "./auth.ts";

export interface IdempotencyParts {
  readonly idempotency: IdempotencyStore;
  readonly service: Pick<JobService, "drawId">;
  readonly clock: Clock;
}

/** The id under which a route does its work, so that a later attempt of the same request finds it. */
export type WorkId = JobId;

/** A route that can be tried again. Without an id, nobody will. */
export type RepeatableRoute = (request: Request, work_id?: WorkId) => Promise<HttpResult>;

const KEY = /^[\x21-\x7e]{1,255}$/;

const INVALID_KEY = failure(
  400,
  "invalid_idempotency_key",
  "Idempotency-Key: must be 1 to 255 visible ASCII characters.",
);
const KEY_REUSED = failure(
  422,
  "idempotency_key_reused",
  "This Idempotency-Key was used for another request; use a new one for each.",
);
const STILL_RUNNING = failure(
  409,
  "still_running",
  "The first request with this Idempotency-Key is still being worked on; send the same again.",
  { "Retry-After": "1" },
);

/** A 402 that names a job has made it; after any other nothing has changed, and with more money it is worth asking again. */
const isKept = ({ status, body }: HttpResult): boolean =>
  (status >= 200 && status < 300) || (status === 402 && body !== undefined && "id" in body);

const kept = ({ status, body, headers = {} }: HttpResult): StoredResponse => ({
  status,
  headers,
  body: body === undefined ? null : Array.isArray(body) ? body : { ...body },
});

const replayed = ({ status, body, headers }: HttpResult): HttpResult => ({
  status,
  ...(body === undefined ? {} : { body }),
  headers: { ...headers, "Idempotency-Replayed": "true" },
});

const again = ({ status, body, headers }: StoredResponse): HttpResult =>
  replayed({ status, headers, ...(body === null ? {} : { body }) });

const NO_BODY = Buffer.alloc(0);

interface First {
  readonly fingerprint: string;
  readonly answer: Promise<HttpResult>;
  waiting: number;
}

/** Makes routes repeatable. `route`: method and path as they are registered; records of one never answer another. */
export function idempotency(parts: IdempotencyParts) {
  /** What this process is working on. The store's `running` that is not among them is left over. */
  const firsts = new Map<string, First>();

  const tryOnce = async (
    scope: string,
    fingerprint: string,
    work: (id: WorkId) => Promise<HttpResult>,
  ): Promise<HttpResult> => {
    const work_id = await parts.service.drawId();
    const begun = await parts.idempotency.begin({ scope, fingerprint, work_id, at: parts.clock.now() });
    if (begun.kind === "other_body") return KEY_REUSED;
    if (begun.kind === "same") return again(begun.answer);
    const answer = await work(begun.kind === "running" ? begun.work_id : work_id);
    if (isKept(answer)) await parts.idempotency.finish(scope, kept(answer));
    else await parts.idempotency.release(scope);
    return answer;
  };

  const waitFor = async (first: First): Promise<HttpResult> => {
    if (first.waiting >= MAX_WAITING_DUPLICATES) return STILL_RUNNING;
    first.waiting++;
    let cancel = (): void => {};
    const tooLong = new Promise<HttpResult>((resolve) => {
      cancel = parts.clock.at(parts.clock.now() + DUPLICATE_WAIT_MS, () => resolve(STILL_RUNNING));
    });
    try {
      return await Promise.race([first.answer.then(replayed), tooLong]);
    } finally {
      cancel();
      first.waiting--;
    }
  };

  return (route: string, work: RepeatableRoute) =>
    async (request: Request): Promise<HttpResult> => {
      const key = request.headers["idempotency-key"];
      if (key === undefined) return work(request);
      if (typeof key !== "string" || !KEY.test(key)) return INVALID_KEY;
      const caller = principalOf(request).key_id;
      const scope = hash("sha256", JSON.stringify([caller, route, key]), "hex");
      const fingerprint = request.digest ?? digestOf(request, NO_BODY);
      // nothing is awaited between looking and noting, so of two at once one is the first
      const first = firsts.get(scope);
      if (first !== undefined) return first.fingerprint === fingerprint ? waitFor(first) : KEY_REUSED;
      const answer = tryOnce(scope, fingerprint, (id) => work(request, id)).finally(() => firsts.delete(scope));
      firsts.set(scope, { fingerprint, answer, waiting: 0 });
      return answer;
    };
}
