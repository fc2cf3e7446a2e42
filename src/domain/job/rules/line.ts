/**
 * Rules for jobs over their repository's limits or a budget: they wait in line, and begin when there is room. Whatever
 * begins an attempt says here what it may cost.
 */
import { DEFAULT_REPOSITORY_SETTINGS } from "../../../contracts/settings.ts";
import { nextDay, tooManyJobs } from "../budget.ts";
import type { Command, Report } from "../command.ts";
import { atOnce, type Context, change, type Decided, type Decision, showComment, unchanged } from "../decision.ts";
import { fullName, type Job } from "../job.ts";
import {
  beginsAttempt,
  type Grant,
  joinsAt,
  type LineFacts,
  positionIn,
  type Spot,
  settingOf,
  spotFor,
  takesPlace,
  UNREAD_LINE,
  whenBegins,
  whyWaiting,
} from "../line.ts";
import { limitsOf } from "../raised-limits.ts";
import { type Refusal, refusal } from "../refusal.ts";
import { endUnpaid, pushBrief } from "./end-attempt.ts";

/** When a caller that may not wait is to ask again: a run takes minutes. */
const ASK_AGAIN_MS = 60_000;

const isAwaited = ({ origin, head_sha }: Job): boolean =>
  origin.kind === "rest" && origin.awaits_branch === true && head_sha === null;

/** A run that GitHub itself has begun is under way, so nothing of it can wait any more. */
const asksForPlace = (before: Job | null, command: Command, after: Job): boolean =>
  command.type !== "run-changed" && takesPlace(before, after);

/** Something is known of an attempt that was not under way before, which may have to wait. */
const asksToBegin = (before: Job | null, command: Command, after: Job): boolean =>
  command.type === "limits-read" || beginsAttempt(before, after);

/** Whether a decision needs to know who has which place, and what is left of budgets. */
export const needsLine = (before: Job | null, command: Command, decision: Decision): boolean =>
  decision.kind === "decided" &&
  (((command.type === "show" || command.type === "line-moved") && decision.job.line !== null) ||
    asksToBegin(before, command, decision.job));

/** A place is free, as far as anybody knows: whether it is for this job is looked at with all other beginnings. */
export const begin = (job: Job, { now }: Context): Decision =>
  job.line === null
    ? unchanged
    : change(job, now, { set: { line: null }, event: "begins", effects: pushBrief({ ...job, line: null }) });

/** Its comment says where it stands now, if GitHub's limits have room to spare. */
export const lineMoved = (job: Job, _command: Command, { now }: Context): Decision =>
  job.line === null
    ? unchanged
    : change(job, now, { effects: [{ effect: { type: "show-place" }, urgency: "whenever", not_before: now }] });

/** Its place is looked at once more; the brief is pushed after all, if there is one. */
export const limitsRead = (job: Job, report: Report<"limits-read">, { now }: Context): Decision =>
  job.status === "queued" && job.line === null && report.round === job.round && report.attempt === job.attempt
    ? change(job, now, { effects: pushBrief(job) })
    : unchanged;

const withoutBrief = (effects: Decided["effects"]): Decided["effects"] =>
  effects.filter(({ effect }) => effect.type !== "push-brief");

const asUnplaced = (effects: Decided["effects"]): Decided["effects"] =>
  effects.map((wanted) =>
    wanted.effect.type === "push-brief" ? { ...wanted, effect: { ...wanted.effect, unplaced: true } } : wanted,
  );

const withSetting = (sentence: string, limit: Spot["limit"]): string => {
  const setting = settingOf(limit);
  return setting === null ? sentence : `${sentence} (\`${setting}\`)`;
};

const sentenceOf = (job: Job, spot: Spot): string =>
  withSetting(`In ${fullName(job.repository)} ${whyWaiting(spot, job.account)}`, spot.limit);

/** When to ask again, and what to say of that. */
function againAt({ until, limit }: Spot, now: number): Pick<Required<Refusal>, "retry_after_ms"> & { say: string } {
  if (until === undefined) return { retry_after_ms: ASK_AGAIN_MS, say: "ask again when one is over" };
  return { retry_after_ms: until - now, say: `it goes on ${whenBegins({ limit, until })}` };
}

/** Its caller cannot wait: nothing is left behind. */
function turnAway(before: Job | null, decision: Decided, spot: Spot, now: number): Decision {
  const { retry_after_ms, say } = againAt(spot, now);
  const failure = `${sentenceOf(decision.job, spot)}; ${say}.`;
  if (before === null) return { kind: "refused", refusal: { ...refusal("rate_limited", failure), retry_after_ms } };
  return endUnpaid(before, now, "cancelled", { set: { failure }, note: failure });
}

function waitInLine(decision: Decided, spot: Spot, now: number): Decided {
  const { job } = decision;
  const again = spot.until === undefined ? "" : ` It goes on ${whenBegins(spot)}.`;
  const note = `${sentenceOf(job, spot)}, so this job waits as number ${spot.position} in line.${again}`;
  const shown = decision.effects.some(({ effect }) => effect.type === "sync-comment");
  const waiting = change({ ...job, line: spot, reserved: null }, now, {
    event: "waits",
    note,
    effects: shown ? [] : [showComment(now, "now")],
  });
  return {
    ...decision,
    job: waiting.job,
    history: [...decision.history, ...waiting.history],
    effects: [...withoutBrief(decision.effects), ...waiting.effects],
  };
}

/** It has waited already, and goes on doing so: maybe for something else, or until another time. */
function goesOnWaiting(before: Job, { over_budget }: Job, spot: Spot, now: number): Decision {
  const same = before.line?.limit === spot.limit && before.line.most === spot.most && before.line.until === spot.until;
  if (same && over_budget === before.over_budget) return unchanged;
  return change(before, now, { set: { line: spot, over_budget }, effects: [showComment(now, "soon")] });
}

/** When it is taken to have asked: who waited already keeps that, and what was asked for before the limits were known too. */
function askedAt(before: Job | null, command: Command, facts: LineFacts, now: number): number {
  if (before !== null && before.line !== null) return before.line.since;
  return before !== null && command.type === "limits-read" && before.round === 1 && before.attempt === 1
    ? before.created_at
    : joinsAt(facts, now);
}

/** Where no budget counts the settings of its last brief say what it may cost, until the next brief says it. */
function begun(decision: Decided, grant: Grant | null, now: number): Decided {
  const { job } = decision;
  const { cost_cents } = limitsOf(job, job.settings ?? DEFAULT_REPOSITORY_SETTINGS);
  const reserved =
    grant?.budgeted === true
      ? { budgeted: true, cents: grant.cents, at: now }
      : { budgeted: false, cents: cost_cents, at: now };
  return { ...decision, job: { ...job, reserved } };
}

const RERUN =
  "A run that is started again on GitHub has no part of the budget, so it was cancelled; `/job retry` begins it within that.";

/** Somebody pressed “Re-run” on GitHub, so nothing was reserved before it began. */
function stopRerun(before: Job, { run }: Report<"run-changed">, now: number): Decision {
  const work = before.work.kind === "actions" ? { ...before.work, run } : before.work;
  const effects = run.status === "completed" ? [] : [atOnce({ type: "cancel-run", run_id: run.id } as const)];
  return change(before, now, { set: { work, notice: RERUN }, effects: [...effects, showComment(now, "soon")] });
}

/** As many jobs were created today as may be; null: that is not so. `made`: this one is counted already. */
function overJobs(job: Job, { budgets }: LineFacts, made: boolean, now: number): Refusal | null {
  const { limits, spent } = budgets?.repository ?? {};
  const most = limits?.jobs_per_day;
  if (most === undefined || job.over_budget || (spent?.jobs_of_day ?? 0) < most + (made ? 1 : 0)) return null;
  const sentence =
    `In ${fullName(job.repository)} ${tooManyJobs(most)}; ask again at 00:00 UTC, or an admin of the repository says ` +
    "`/job --over-budget …`.";
  return { ...refusal("rate_limited", sentence), retry_after_ms: nextDay(now) - now };
}

function refuseOverJobs(before: Job | null, command: Command, decision: Decided, facts: LineFacts, now: number) {
  const isFirst = before === null || (command.type === "limits-read" && before.round === 1 && before.attempt === 1);
  const over = isFirst ? overJobs(decision.job, facts, before !== null, now) : null;
  if (over === null) return null;
  if (before === null) return { kind: "refused", refusal: over } satisfies Decision;
  const failure = over.sentence;
  return endUnpaid(before, now, "cancelled", { set: { failure }, note: failure });
}

/** The decision with what the repository's limits and budgets make of it. */
export function holdToLimits(
  before: Job | null,
  command: Command,
  decision: Decision,
  { now, line }: Context,
): Decision {
  if (decision.kind !== "decided") return decision;
  const { job } = decision;
  if (job.line !== null) {
    const position = typeof line === "object" ? positionIn(line.places, job.id) : null;
    return position === null ? decision : { ...decision, job: { ...job, line: { ...job.line, position } } };
  }
  const facts = line === "unknown" ? UNREAD_LINE : line;
  if (!beginsAttempt(before, job) && command.type !== "limits-read") return decision;
  if (facts === undefined) return begun(decision, null, now);
  const over = refuseOverJobs(before, command, decision, facts, now);
  if (over !== null) return over;
  const goes_on = command.type !== "limits-read" && !asksForPlace(before, command, job);
  const ended = decision.spending ?? [];
  const spot = spotFor(facts, { job, asked_at: askedAt(before, command, facts, now), goes_on, ended });
  if (before?.status === "failed" && command.type === "run-changed" && ("limit" in spot || spot.budgeted))
    return stopRerun(before, command, now);
  if (!("limit" in spot)) {
    const granted = begun(decision, spot, now);
    return facts.unread === true && !goes_on ? { ...granted, effects: asUnplaced(granted.effects) } : granted;
  }
  if (before !== null && before.line !== null) return goesOnWaiting(before, job, spot, now);
  return isAwaited(job) ? turnAway(before, decision, spot, now) : waitInLine(decision, spot, now);
}
