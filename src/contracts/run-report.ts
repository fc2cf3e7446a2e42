/**
 * What a running job tells the App over HTTP, with the workflow's OIDC token as bearer (its audience is the App's
 * `PUBLIC_URL`; https://docs.github.com/en/actions/concepts/security/openid-connect): lines of its log while it works,
 * and its result at the end, which is answered with a token to push with.
 */
import { z } from "zod";
import { MAX_LOG_LINES, strictLineSchema } from "./log-line.ts";

/**
 * Header of every message of the run action, with the version below. A message without it comes from a copy of run-job.yml
 * from before that action.
 */
export const RUN_ACTION_HEADER = "journeyman-run-action";
export const RUN_ACTION_VERSION = "1";

/** Lines of one request. */
export const MAX_REPORTED_LINES = 200;

/** `POST /api/runs/{job_id}/log` */
export const reportedLinesSchema = z.object({ lines: z.array(strictLineSchema).min(1).max(MAX_REPORTED_LINES) });

/**
 * Up to which line of this run the App knows the log, 0: no line. Lines it has are dropped, so sending twice is safe;
 * a sender that hears of fewer than it was told before (the App was restarted) goes on after that number.
 */
export const linesReceivedSchema = z.object({ received: z.number().int().nonnegative() });

/** `POST /api/runs/{job_id}/result`, right before the push: `result` as in `result.json`, `log` as in `log.jsonl`. */
export const handedInSchema = z.object({
  result: z.unknown(),
  log: z.array(strictLineSchema).max(MAX_LOG_LINES),
  /** Paths that the push changes against the base commit, `.jobs/` aside, at most so many. */
  changed_files: z.array(z.string().max(4_096)).max(3_000),
});

/** `token`: of an installation, for this repository alone, with `contents: write` alone. */
export const pushTokenSchema = z.object({ token: z.string(), expires_at: z.string() });
