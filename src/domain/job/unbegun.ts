/** Attempts that ended before their run had begun, as far as anybody knew. */
import type { Command } from "./command.ts";
import { type ActionsJob, isFinal, type Run } from "./job.ts";

/** Why an attempt failed whose run GitHub did not start. */
export const RUN_COULD_NOT_START = "The workflow run could not start; look at the workflow file run-job.yml.";

/** It has part of a budget, and was never seen at work. */
export const isUnbegun = ({ reserved, accepted_at }: ActionsJob): boolean =>
  reserved?.budgeted === true && accepted_at === null;

const MAY_END_UNBEGUN: ReadonlySet<string | null> = new Set(["cancelled", "skipped", "startup_failure"]);

/** Its run may have ended before it began: events come in any order and may be lost, so only its own jobs tell. */
export const mayHaveEndedUnbegun = (job: ActionsJob, run: Run): boolean =>
  isUnbegun(job) &&
  isFinal(job.status) &&
  job.brief_sha !== null &&
  job.work.handed_in === null &&
  (job.work.run === null || (job.work.run.status === "queued" && job.work.run.id === run.id)) &&
  run.attempt === 1 &&
  run.status === "completed" &&
  MAY_END_UNBEGUN.has(run.conclusion);

/** It has, as its jobs tell. */
export const isOverUnbegun = (before: ActionsJob, command: Command): boolean =>
  command.type === "run-changed" && command.never_began === true && mayHaveEndedUnbegun(before, command.run);
