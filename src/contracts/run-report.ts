/**
 * Messages of a running job to the App over HTTP: log lines during the run, and the result at the end, which is
 * answered with a token for the push. The bearer is the workflow's OIDC token, whose audience is the App's `PUBLIC_URL`
 * (https://docs.github.com/en/actions/concepts/security/openid-connect).
 */
import * as z from "zod";
import { MAX_LOG_LINES, strictLineSchema } from "./log-line.ts";

/**
 * Header of every message from the run action; holds the version below. A message without it comes from an old copy of
 * run-job.yml.
 */
export const RUN_ACTION_HEADER = "journeyman-run-action";
export const RUN_ACTION_VERSION = "1";

/** Lines per request. */
export const MAX_REPORTED_LINES = 200;

/** `POST /api/runs/{job_id}/log` */
export const reportedLinesSchema = z.object({ lines: z.array(strictLineSchema).min(1).max(MAX_REPORTED_LINES) });

/**
 * The number of the last line that the App has; 0 for none. The App drops lines that it has, so resending is safe. A
 * number lower than before means that the App was restarted: continue after it.
 */
export const linesReceivedSchema = z.object({ received: z.number().int().nonnegative() });

/** `POST /api/runs/{job_id}/result`, just before the push: `result` as in `result.json`, `log` as in `log.jsonl`. */
export const handedInSchema = z.object({
  result: z.unknown(),
  log: z.array(strictLineSchema).max(MAX_LOG_LINES),
  /** Paths that the push changes relative to the base commit, without `.jobs/`. */
  changed_files: z.array(z.string().max(4_096)).max(3_000),
});

/** `token`: an installation token for this repository with `contents: write` only. */
export const pushTokenSchema = z.object({ token: z.string(), expires_at: z.string() });
