/** What follows from every command beside its own rule: whether the pull request is open, when it expires, what is raised. */
import type { Command } from "../command.ts";
import { type Context, change, type Decision, showComment } from "../decision.ts";
import type { Job } from "../job.ts";
import { expiryAfter, isOpenAfter, isWarningOver } from "./expiry.ts";

/** A further round has the settings' limits again, unless it was asked for with others. */
function raisedAfter(before: Job | null, command: Command, after: Job): Job["raised"] {
  if (before === null || before.round === after.round) return after.raised;
  return command.type === "retry" ? (command.raised ?? null) : null;
}

const overBudgetAfter = (before: Job | null, command: Command, after: Job): boolean =>
  before === null || before.round === after.round
    ? after.over_budget
    : command.type === "retry" && command.over_budget === true;

function tracked(before: Job | null, command: Command, after: Job, now: number): Job {
  const pull_request_open = isOpenAfter(command, after);
  // what was said of its end is over
  const isBack = command.type === "reopened" && pull_request_open && !after.pull_request_open;
  const open: Job = {
    ...after,
    pull_request_open,
    line: after.status === "queued" ? after.line : null,
    notice: isBack ? null : after.notice,
    raised: raisedAfter(before, command, after),
    over_budget: overBudgetAfter(before, command, after),
  };
  return { ...open, expiry: expiryAfter(before, command, open, now) };
}

const isSame = (a: Job, b: Job): boolean =>
  a.pull_request_open === b.pull_request_open &&
  a.line === b.line &&
  a.notice === b.notice &&
  a.raised === b.raised &&
  a.over_budget === b.over_budget &&
  (a.expiry === b.expiry || JSON.stringify(a.expiry) === JSON.stringify(b.expiry));

export function keepTrack(before: Job | null, command: Command, decision: Decision, { now }: Context): Decision {
  const after = decision.kind === "decided" ? decision.job : before;
  if (decision.kind === "refused" || after === null) return decision;
  // facts that nobody waited for say nothing
  if (decision.kind === "unchanged" && command.type === "observe") return decision;
  const next = tracked(before, command, after, now);
  if (isSame(after, next)) return decision;
  const effects = before !== null && isWarningOver(before, next) ? [showComment(now, "soon")] : [];
  if (decision.kind === "unchanged") return change(next, now, { effects });
  return { ...decision, job: next, effects: [...decision.effects, ...effects] };
}
