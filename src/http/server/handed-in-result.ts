/** Parses and validates a run's submitted result, and converts it to what the job stores. */

import { jobFolder } from "../../contracts/brief.ts";
import type { LogLine } from "../../contracts/log-line.ts";
import { NO_USAGE, resultSchema } from "../../contracts/result.ts";
import { handedInSchema } from "../../contracts/run-report.ts";
import type { AgentResult } from "../../domain/job/job.ts";
import { reportedResult } from "../../domain/job/reported-result.ts";
import { cleanLog } from "../../domain/job/stored-log.ts";
import { isJsonWithinBounds } from "../../text/json-bounds.ts";
import type { HttpResult } from "../routing/answer.ts";
import { checked, NO_JSON, TOO_DEEP } from "../routing/checked.ts";

export interface HandInTask {
  readonly kind: "hand-in";
  readonly parts: readonly Uint8Array[];
  readonly job: { readonly id: string; readonly title: string };
}

export type HandInRead =
  | { readonly kind: "read"; readonly work: AgentResult; readonly log: readonly LogLine[] }
  | { readonly kind: "refused"; readonly answer: HttpResult };

/** Paths that the job's record keeps, as many as GitHub lists in one answer. */
const MAX_KEPT_PATHS = 300;

/** What the run says that it has done; an unreadable result is a failed one, as it is on the branch. */
function workOf({ id, title }: HandInTask["job"], result: unknown, changed: readonly string[]): AgentResult {
  const parsed = resultSchema.safeParse(result);
  const own = `${jobFolder(id)}/`;
  const paths = changed.filter((path) => !path.startsWith(own)).slice(0, MAX_KEPT_PATHS);
  if (parsed.success) return { ...reportedResult(parsed.data, title), changed_files: paths };
  const reason = "The agent's result could not be read.";
  return {
    ...{ outcome: "failed", title, body: "", reason, model: "unknown", usage: NO_USAGE, cost_cents: null },
    changed_files: paths,
  };
}

export function readHandIn({ parts, job }: HandInTask): HandInRead {
  const bytes = Buffer.concat(parts);
  if (!isJsonWithinBounds(bytes)) return { kind: "refused", answer: TOO_DEEP };
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch {
    return { kind: "refused", answer: NO_JSON };
  }
  const body = checked(handedInSchema, json);
  if ("answer" in body) return { kind: "refused", answer: body.answer };
  const { result, log, changed_files } = body.value;
  return { kind: "read", work: workOf(job, result, changed_files), log: cleanLog(log) };
}
