/** Rules for jobs over their repository's limits: they wait in line, and begin when a place is free. */
import type { Command, Report } from "../command.ts";
import { type Context, change, type Decided, type Decision, showComment, unchanged } from "../decision.ts";
import type { Job } from "../job.ts";
import { fullName } from "../job.ts";
import { joinsAt, type LineFacts, positionIn, type Spot, spotFor, takesPlace, whyWaiting } from "../line.ts";
import { refusal } from "../refusal.ts";
import { endUnpaid, pushBrief } from "./end-attempt.ts";

/** When a caller that may not wait is to ask again: a run takes minutes. */
const ASK_AGAIN_MS = 60_000;

const isAwaited = ({ origin, head_sha }: Job): boolean =>
  origin.kind === "rest" && origin.awaits_branch === true && head_sha === null;

/** A run that GitHub itself has begun is under way, so nothing of it can wait any more. */
const asksForPlace = (before: Job | null, command: Command, after: Job): boolean =>
  command.type !== "run-changed" && takesPlace(before, after);

/** Whether a decision needs to know who has which place. */
export const needsLine = (before: Job | null, command: Command, decision: Decision): boolean =>
  decision.kind === "decided" &&
  (command.type === "limits-read" ||
    ((command.type === "show" || command.type === "line-moved") && decision.job.line !== null) ||
    asksForPlace(before, command, decision.job));

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

const sentenceOf = (job: Job, spot: Spot): string =>
  `In ${fullName(job.repository)} ${whyWaiting(spot, job.account)} (\`limits.${spot.limit}\`)`;

/** Its caller cannot wait: nothing is left behind. */
function turnAway(before: Job | null, decision: Decided, spot: Spot, now: number): Decision {
  const failure = `${sentenceOf(decision.job, spot)}; ask again when one is over.`;
  if (before === null)
    return { kind: "refused", refusal: { ...refusal("rate_limited", failure), retry_after_ms: ASK_AGAIN_MS } };
  return endUnpaid(before, now, "cancelled", { set: { failure }, note: failure });
}

function waitInLine(decision: Decided, spot: Spot, now: number): Decided {
  const { job } = decision;
  const note = `${sentenceOf(job, spot)}, so this job waits as number ${spot.position} in line.`;
  const shown = decision.effects.some(({ effect }) => effect.type === "sync-comment");
  const waiting = change({ ...job, line: spot }, now, {
    event: "waits",
    note,
    effects: shown ? [] : [showComment(now, "now")],
  });
  return {
    ...waiting,
    postings: decision.postings,
    history: [...decision.history, ...waiting.history],
    effects: [...withoutBrief(decision.effects), ...waiting.effects],
  };
}

/** When it is taken to have asked: who waited already keeps that, and what was asked for before the limits were known too. */
function askedAt(before: Job | null, command: Command, facts: LineFacts, now: number): number {
  if (before !== null && before.line !== null) return before.line.since;
  return before !== null && command.type === "limits-read" && before.round === 1 && before.attempt === 1
    ? before.created_at
    : joinsAt(facts, now);
}

/** The decision with what the repository's limits make of it. */
export function holdToLimits(
  before: Job | null,
  command: Command,
  decision: Decision,
  { now, line }: Context,
): Decision {
  if (decision.kind !== "decided" || line === undefined) return decision;
  if (line === "unknown")
    return asksForPlace(before, command, decision.job)
      ? { ...decision, effects: asUnplaced(decision.effects) }
      : decision;
  const { job } = decision;
  if (job.line !== null) {
    const position = positionIn(line.places, job.id);
    return position === null ? decision : { ...decision, job: { ...job, line: { ...job.line, position } } };
  }
  if (command.type !== "limits-read" && !asksForPlace(before, command, job)) return decision;
  const spot = spotFor(line, job, askedAt(before, command, line, now));
  if (spot === null) return decision;
  if (before !== null && before.line !== null) return unchanged;
  return isAwaited(job) ? turnAway(before, decision, spot, now) : waitInLine(decision, spot, now);
}
