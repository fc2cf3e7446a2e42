/** Attempts that ended before their run had begun, as far as anybody knew. */
import type { Command } from "./command.ts";
import type { ActionsJob } from "./job.ts";

/** Why an attempt failed whose run GitHub did not start. */
export const RUN_COULD_NOT_START = "The workflow run could not start; look at the workflow file run-job.yml.";

/** It has part of a budget, and was never seen at work. */
export const isUnbegun = ({ reserved, accepted_at }: ActionsJob): boolean =>
  reserved?.budgeted === true && accepted_at === null;

/** A run that is over and was never seen at work was cancelled before it was. */
export const isOverUnbegun = (before: ActionsJob, command: Command): boolean =>
  command.type === "run-changed" &&
  isUnbegun(before) &&
  before.brief_sha !== null &&
  before.work.run?.status !== "in_progress" &&
  command.run.status === "completed" &&
  command.run.conclusion !== "success" &&
  command.run.conclusion !== "failure";
