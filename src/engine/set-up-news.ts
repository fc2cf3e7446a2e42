/** What a commit of a job says of its repository's set-up: whether runs begin, and get anywhere. */
import { type AgentResult, isOnActions, type Job, runOf } from "../domain/job/job.ts";
import { RUN_COULD_NOT_START } from "../domain/job/unbegun.ts";
import type { RepositoryCommand } from "../domain/repository/command.ts";
import type { RunProblem } from "../domain/repository/repository.ts";

/** Null: nothing new. */
export function setUpNews(before: Job | null, job: Job): RepositoryCommand | null {
  if (before === null || !isOnActions(job)) return null;
  const run = runOf(job);
  if (run !== null && runOf(before) === null) return { type: "run-seen", url: run.url };
  const { result } = job;
  const isNew = result !== null && result !== before.result;
  if (isNew && gotToWork(result)) return { type: "run-ended", problem: null };
  const problem = isNew ? problemOfResult(result) : problemOfRun(before, job);
  return problem === null ? null : { type: "run-ended", problem };
}

/** One that failed before the model's first answer proves nothing of the set-up. */
const gotToWork = ({ outcome, usage }: AgentResult): boolean => outcome !== "failed" || usage.turns > 0;

function problemOfResult({ permanent_error, image_missing, set_up_failed }: AgentResult): RunProblem | null {
  if (image_missing) return "no_image";
  if (set_up_failed) return "set_up_failed";
  if (permanent_error === "key_missing") return "no_key";
  return permanent_error === "key_refused" ? "key_refused" : null;
}

function problemOfRun(before: Job, job: Job): RunProblem | null {
  const run = runOf(job);
  const isFailed = job.attempt_count > before.attempt_count && job.failure === RUN_COULD_NOT_START;
  if (isFailed) return "run_did_not_start";
  const isLate = job.status === "queued" && run === null && job.notice !== null && before.notice === null;
  return isLate && job.pushed_at !== null ? "no_run" : null;
}
