/**
 * Authenticates the workflow run of a job by GitHub's OIDC token, before the body of a request is read. Anybody else
 * learns nothing of the job, not even that it exists.
 */
import { hash } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { asJobId } from "../../domain/job/job.ts";
import { type RunClaims, runAuthorizationBy } from "../../domain/job/run-claims.ts";
import type { JobStore, StoredJob } from "../../engine/ports/jobs.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { RunTokens } from "../../engine/ports/runs.ts";
import { failure, type HttpResult, send, UNAUTHORIZED } from "../routing/answer.ts";
import { RUN_REQUESTS_PER_ADDRESS, RUN_REQUESTS_PER_JOB } from "../routing/limits.ts";
import { clientAddress, countedAs } from "../server/client-address.ts";
import { rateLimit } from "./rate-limit.ts";
import type { AuthThrottle } from "./wrong-key-throttling.ts";

export interface RunCallerParts {
  readonly jobs: Pick<JobStore, "load">;
  readonly repositories: Pick<RepositoryStore, "get">;
  /** Null: the server has no address of its own, so no token can be meant for it. */
  readonly run_tokens: RunTokens | null;
  readonly authThrottle: AuthThrottle;
  readonly now: () => number;
}

/** A run that may speak for this job now. */
export interface RunCaller {
  readonly stored: StoredJob;
  readonly run: { readonly run_id: number; readonly attempt: number };
  readonly repository_id: number;
}

declare global {
  namespace Express {
    interface Request {
      run_caller?: RunCaller;
    }
  }
}

export function runCallerOf(request: Request): RunCaller {
  if (request.run_caller === undefined) throw new Error("a route for runs is not behind their token");
  return request.run_caller;
}

const NOT_SET_UP = failure(
  501,
  "not_set_up",
  "Runs cannot report here: this server has no PUBLIC_URL; set it to the address under which runners reach the server.",
);
const NO_JOB = failure(404, "not_found", "There is no such job, or it is not this run's.");
const NOT_YET = failure(409, "run_unknown", "This run is not known here yet; send the same again in a moment.", {
  "Retry-After": "2",
});
export const OVER = failure(409, "over", "The attempt that this run belongs to is over; send no more.");
const KEYS_AWAY = failure(503, "github_unavailable", "GitHub's keys cannot be read just now; try again in a moment.", {
  "Retry-After": "5",
});
const CHALLENGE: HttpResult = { ...UNAUTHORIZED, headers: { "WWW-Authenticate": "Bearer" } };

function bearerOf({ headers: { authorization } }: Request): string | null {
  const token = authorization?.slice(0, 7).toLowerCase() === "bearer " ? authorization.slice(7).trim() : "";
  return token === "" ? null : token;
}

async function callerBy(parts: RunCallerParts, id: string, claims: RunClaims): Promise<RunCaller | HttpResult> {
  const job_id = asJobId(id);
  const stored = job_id === null ? null : await parts.jobs.load(job_id);
  if (stored === null) return NO_JOB;
  const { owner, name } = stored.job.repository;
  const repository_id = stored.job.repository.id ?? (await parts.repositories.get(owner, name))?.id;
  if (repository_id === undefined) return NO_JOB;
  const found = runAuthorizationBy(stored.job, repository_id, claims);
  switch (found) {
    case "ours":
      return { stored, run: { run_id: claims.run_id, attempt: claims.run_attempt }, repository_id };
    case "not_yet":
      return NOT_YET;
    case "over":
      return OVER;
    case "foreign":
      return NO_JOB;
    default:
      return found satisfies never;
  }
}

/** The run, or the answer. Anybody can have GitHub sign a token for us, so naming another run's job counts as a wrong key. */
async function identify(parts: RunCallerParts, request: Request): Promise<RunCaller | HttpResult> {
  if (parts.run_tokens === null) return NOT_SET_UP;
  const token = bearerOf(request);
  const digest = token === null ? null : hash("sha256", token, "hex");
  const refusal = parts.authThrottle.refusal(request, digest);
  if (refusal !== null) return refusal;
  if (token === null || digest === null) return CHALLENGE;
  const verified = await parts.run_tokens.verify(token);
  if (verified.kind === "unavailable") return KEYS_AWAY;
  const caller =
    verified.kind === "invalid" ? CHALLENGE : await callerBy(parts, String(request.params.job_id), verified.claims);
  if (caller === CHALLENGE || caller === NO_JOB) parts.authThrottle.failed(request);
  else parts.authThrottle.succeeded(request, digest);
  return caller;
}

/** Stand before every route for runs, in this order. */
export function runCallers(parts: RunCallerParts): readonly RequestHandler[] {
  const address = {
    name: "address",
    most: RUN_REQUESTS_PER_ADDRESS,
    window_ms: 60_000,
    keyOf: (request: Request) => countedAs(clientAddress(request)),
    sentence: `More than ${RUN_REQUESTS_PER_ADDRESS} requests a minute came from your address; wait and try again.`,
  };
  const job = {
    name: "job",
    most: RUN_REQUESTS_PER_JOB,
    window_ms: 60_000,
    keyOf: (request: Request) => runCallerOf(request).stored.job.id,
    sentence: `More than ${RUN_REQUESTS_PER_JOB} requests a minute for this job; send more lines in each.`,
  };
  const known: RequestHandler = async (request, response, next) => {
    const caller = await identify(parts, request);
    if ("status" in caller) send(request, response, caller);
    else {
      request.run_caller = caller;
      next();
    }
  };
  return [rateLimit(address, parts.now), known, rateLimit(job, parts.now)];
}
