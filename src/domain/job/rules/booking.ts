/** What an attempt on GitHub Actions has cost is booked by the decision that ends it. */
import { NO_USAGE } from "../../../contracts/result.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../../contracts/settings.ts";
import type { Command } from "../command.ts";
import type { Context, Decided, Decision } from "../decision.ts";
import {
  type ActionsJob,
  actionsWork,
  fullName,
  isOnActions,
  type Job,
  NOT_REPORTED,
  type Run,
  runOf,
} from "../job.ts";
import { limitsOf } from "../raised-limits.ts";
import type { SpendingRow } from "../spending.ts";
import { usageOfRun } from "../usage.ts";
import { RUN_COULD_NOT_START } from "./running.ts";

/** Whether the attempt that was under way before is not any more. */
const isOver = (before: ActionsJob, after: Job): boolean =>
  before.round !== after.round ||
  before.attempt !== after.attempt ||
  (after.status !== "accepted" && after.status !== "queued");

/** The attempt's run; of one that a single decision begins and ends, only the command and the job after it know. */
function ranIn(before: ActionsJob, command: Command, after: Job): Pick<Run, "id" | "attempt"> | null {
  if (command.type === "run-changed") return command.run;
  const known = before.work.run ?? (before.attempt === after.attempt ? runOf(after) : null);
  if (known !== null) return known;
  const past = actionsWork(after)?.past_runs.at(-1);
  return before.work.early_runs.find(({ run }) => run.id === past)?.run ?? null;
}

/** A run that could not start has used no model. */
const hasRun = (before: ActionsJob, { history }: Decided): boolean =>
  (before.status === "accepted" || history.some(({ event }) => event === "accepted")) &&
  history.every(({ note }) => note !== RUN_COULD_NOT_START);

const startedBy = ({ origin }: Job): SpendingRow["started_by"] =>
  origin.kind === "schedule" || origin.kind === "trigger" ? { kind: origin.kind, name: origin.name } : null;

/** The most that the attempt may use. */
const capOf = (job: Job): number => limitsOf(job, job.settings ?? DEFAULT_REPOSITORY_SETTINGS).cost_cents;

function rowOf(before: ActionsJob, command: Command, after: Job, now: number): SpendingRow {
  const { id, round, attempt, account, requester, repository, work } = before;
  const told = usageOfRun(after, ranIn(before, command, after));
  const model = told?.model ?? work.llm?.model ?? null;
  return {
    ...{ job: id, round, attempt, at: now, account, requester },
    repository_id: repository.id ?? null,
    repository: fullName(repository),
    model: model === NOT_REPORTED ? null : model,
    started_by: startedBy(before),
    cents: told?.cost_cents ?? capOf(before),
    known: told !== null && told.cost_cents !== null,
    usage: told?.usage ?? NO_USAGE,
  };
}

/** The decision with the cost of the attempt that it ends. */
export function book(before: Job | null, command: Command, decision: Decision, { now }: Context): Decision {
  if (decision.kind !== "decided" || before === null || !isOnActions(before)) return decision;
  const isUnderWay = before.status === "accepted" || before.status === "queued";
  if (!isUnderWay || !isOver(before, decision.job) || !hasRun(before, decision)) return decision;
  return { ...decision, spending: [rowOf(before, command, decision.job, now)] };
}
