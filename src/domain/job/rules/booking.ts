/**
 * What an attempt on GitHub Actions has cost is booked by the decision that ends it, on the day on which it began: its
 * reservation was of that day's budget.
 */
import { NO_USAGE } from "../../../contracts/result.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../../contracts/settings.ts";
import type { Command } from "../command.ts";
import type { Context, Decided, Decision } from "../decision.ts";
import {
  type ActionsJob,
  actionsWork,
  fullName,
  isFinal,
  isOnActions,
  type Job,
  NOT_REPORTED,
  type Run,
  runOf,
  startedBy,
} from "../job.ts";
import { limitsOf } from "../raised-limits.ts";
import type { SpendingRow } from "../spending.ts";
import { isOverUnbegun, isUnbegun, RUN_COULD_NOT_START } from "../unbegun.ts";
import { usageOfRun } from "../usage.ts";

interface Ended {
  readonly round: number;
  readonly attempt: number;
  readonly cap_cents: number;
  readonly at: number;
}

const isUnderWay = ({ status }: Job): boolean => status === "accepted" || status === "queued";

const hasBegun = ({ history }: Decided): boolean => history.some(({ event }) => event === "accepted");

/** Of its last attempt, where the store is of an earlier version. */
const capOf = (job: Job): number =>
  job.reserved?.cents ?? limitsOf(job, job.settings ?? DEFAULT_REPOSITORY_SETTINGS).cost_cents;

/** The attempt that the decision ends, which was under way, or which it has also begun; null: it ends none. */
function endedBy(before: ActionsJob, command: Command, decision: Decided, now: number): Ended | null {
  const { job } = decision;
  const { round, attempt, reserved } = before;
  const ended = { round, attempt, cap_cents: capOf(before), at: reserved?.at ?? now };
  if (isFinal(before.status) && isNewsOfUnbegun(before, command)) return ended;
  if (isUnderWay(before)) {
    const isOver = round !== job.round || attempt !== job.attempt || !isUnderWay(job);
    const hasRun = before.status === "accepted" || hasBegun(decision) || mayRun(before, command);
    return isOver && hasRun ? ended : null;
  }
  const isOver = job.attempt !== 1 || !isUnderWay(job);
  return hasBegun(decision) && isOver ? { round: job.round, attempt: 1, cap_cents: capOf(before), at: now } : null;
}

/**
 * Its brief is pushed, so that its run may begin before GitHub hears that nobody wants it any more. After a day it does
 * not, which only time tells.
 */
const mayRun = (job: ActionsJob, command: Command): boolean =>
  isUnbegun(job) && job.brief_sha !== null && command.type !== "tick";

/** Of an attempt that was ended before it had begun: its brief was just pushed after all, or its run is over. */
const isNewsOfUnbegun = (before: ActionsJob, command: Command): boolean =>
  isUnbegun(before) &&
  ((command.type === "brief-pushed" && before.brief_sha === null) || isOverUnbegun(before, command));

/** The attempt's run; of one that a single decision begins and ends, only the command and the job after it know. */
function ranIn(before: ActionsJob, command: Command, after: Job): Pick<Run, "id" | "attempt"> | null {
  if (command.type === "run-changed") return command.run;
  const known = before.work.run ?? (before.attempt === after.attempt ? runOf(after) : null);
  if (known !== null) return known;
  const past = actionsWork(after)?.past_runs.at(-1);
  return before.work.early_runs.find(({ run }) => run.id === past)?.run ?? null;
}

/** A run that could not start has used no model. */
const couldStart = ({ history }: Decided): boolean => history.every(({ note }) => note !== RUN_COULD_NOT_START);

type Told = Pick<SpendingRow, "cents" | "known" | "usage"> & { readonly model: string | null };

function rowOf(job: Job, { round, attempt, at }: Ended, told: Told): SpendingRow {
  const { id, account, requester, repository } = job;
  return {
    ...{ job: id, round, attempt, at, account, requester },
    repository_id: repository.id ?? null,
    repository: fullName(repository),
    started_by: startedBy(job),
    ...told,
  };
}

function toldOf(before: ActionsJob, command: Command, after: Job, cap_cents: number): Told {
  const told = usageOfRun(after, ranIn(before, command, after));
  const model = told?.model ?? before.work.llm?.model ?? null;
  return {
    model: model === NOT_REPORTED ? null : model,
    cents: told?.cost_cents ?? cap_cents,
    known: told !== null && told.cost_cents !== null,
    usage: told?.usage ?? NO_USAGE,
  };
}

/** The decision with the cost of the attempt that it ends. */
export function book(before: Job | null, command: Command, decision: Decision, { now }: Context): Decision {
  if (decision.kind !== "decided" || before === null || !isOnActions(before)) return decision;
  const ended = endedBy(before, command, decision, now);
  if (ended === null || !couldStart(decision)) return decision;
  const told = toldOf(before, command, decision.job, ended.cap_cents);
  const isNothing = isOverUnbegun(before, command);
  const row = rowOf(before, ended, isNothing ? { ...told, cents: 0, known: true } : told);
  return { ...decision, spending: [row] };
}
