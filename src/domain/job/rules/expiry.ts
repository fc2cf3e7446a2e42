/**
 * Rules for pull requests that wait for a person: a warning, and the close after `limits.expires_days` in which nobody
 * has touched them. Only what nothing of ours and no check will change any more is closed, and its branch is kept.
 */
import { counted } from "../../../text/plural.ts";
import type { Command } from "../command.ts";
import {
  atOnce,
  type Context,
  change,
  type Decided,
  type Decision,
  showComment,
  showNow,
  unchanged,
} from "../decision.ts";
import { type Expiry, isOnActions, type Job } from "../job.ts";
import { PERSONS_TURN } from "../merge-verdict.ts";
import { expiryWarningMs } from "../next-timer.ts";
import { isOnTheirs } from "../target.ts";
import { endUnpaid } from "./end-attempt.ts";

const DAY_MS = 24 * 3_600_000;
/** Among many comments on one day the first and those an hour apart count. */
const TOUCH_GAP_MS = 3_600_000;

/** Nothing comes of a verdict any more unless somebody acts. */
function isLeftToPerson({ merge, reasons, catch_up }: Job): boolean {
  switch (merge.state) {
    case "off":
    case "auto":
      return true;
    case "waiting":
      return catch_up.stuck !== null || PERSONS_TURN.has(reasons[1]?.text ?? "");
    default:
      return false;
  }
}

/** Of the market the sender has paid for it, so it is kept. */
function waitsForPerson(job: Job): boolean {
  if (!isOnActions(job) || job.merged_at !== null) return false;
  if (job.status === "waiting_for_user") return true;
  const isOpen = job.pull_request !== null && job.pull_request_open;
  return isOpen && (job.status === "failed" || (job.status === "verified" && isLeftToPerson(job)));
}

/** A person has done something that the pull request's other followers see. */
function isTouch(command: Command): boolean {
  switch (command.type) {
    case "touched":
    case "reopened":
    case "message":
    case "retry":
    case "review":
    case "review-dismissed":
    case "auto-merge-disabled":
      return true;
    case "head-moved":
      return command.clean !== true;
    case "show":
      return command.comment_id !== null;
    case "look":
      return command.touched === true;
    default:
      return false;
  }
}

/** What the command's job has of an expiry after it. */
export function expiryAfter(before: Job | null, command: Command, after: Job, now: number): Expiry | null {
  const days = after.settings?.limits.expires_days;
  if (days === undefined || !waitsForPerson(after)) return null;
  const from = (seen_at: number): Expiry => ({ at: seen_at + days * DAY_MS, seen_at, warned_at: null });
  const known = before === null || before.round !== after.round ? null : after.expiry;
  if (known === null) return from(now);
  const seen_at = command.type === "touched" ? (command.at ?? now) : now;
  const isFresh = known.warned_at !== null || seen_at - known.seen_at >= TOUCH_GAP_MS;
  if (isTouch(command) && isFresh && seen_at > known.seen_at) return from(seen_at);
  return command.type === "limits-changed" && known.warned_at === null ? from(known.seen_at) : known;
}

/** Whether the job's own pull request is open, as far as the command tells: a person's is not ours to count or to close. */
export function isOpenAfter(command: Command, after: Job): boolean {
  const number = after.pull_request?.number;
  if (number === undefined || isOnTheirs(after)) return false;
  switch (command.type) {
    case "pull-request-opened":
      return command.number === number || after.pull_request_open;
    case "reopened":
      return command.pull_request === number || after.pull_request_open;
    case "closed":
    case "merged":
    case "expired":
      return command.pull_request !== number && after.pull_request_open;
    case "observe":
      return command.facts.state === "open";
    case "discard":
      return false;
    default:
      return after.pull_request_open;
  }
}

/** First it says when, then it has the pull request closed. */
export function expire(job: Job, { now }: Context): Decision {
  const { expiry } = job;
  if (expiry === null) return unchanged;
  if (expiry.warned_at !== null)
    return job.pull_request_open
      ? change(job, now, { effects: [atOnce({ type: "expire-pull-request" })] })
      : unanswered(job, expiry, now);
  // a server that was away for long still says so before
  const at = Math.max(expiry.at, now + expiryWarningMs(expiry));
  return change(job, now, { set: { expiry: { ...expiry, at, warned_at: now } }, effects: [showComment(now, "now")] });
}

const daysSince = (seen_at: number, now: number): number => Math.max(1, Math.round((now - seen_at) / DAY_MS));

/** Nobody answers the agent any more. What it has left on its branch stays there. */
function unanswered(job: Job, { seen_at }: Expiry, now: number): Decided {
  const note = `Nobody answered the agent's question for ${counted(daysSince(seen_at, now), "day")}.`;
  const notice = `${note} To go on, ask again with /job <what you want>, and say in it what the agent asked.`;
  return endUnpaid(job, now, "cancelled", { set: { notice }, note });
}

const expiredNotice = (days: number): string =>
  `The pull request waited for a person, and nobody touched it for ${counted(days, "day")}, so it was closed. Its ` +
  "branch is kept. To go on, reopen it, or comment /job <text> on it, which opens a new pull request from that branch.";

/** It was closed. */
export function expired(job: Job, { pull_request }: Extract<Command, { type: "expired" }>, { now }: Context): Decision {
  if (job.pull_request?.number !== pull_request || job.merged_at !== null || job.expiry === null) return unchanged;
  if (job.status === "waiting_for_user") return unanswered(job, job.expiry, now);
  const days = daysSince(job.expiry.seen_at, now);
  const why = `nobody touched it for ${counted(days, "day")}`;
  const next: Job = { ...job, merge: { state: "off", why }, notice: expiredNotice(days) };
  return change(next, now, { event: "expired", note: why, effects: showNow(next, now) });
}

/** A comment that no longer says the truth. */
export const isWarningOver = (before: Job, after: Job): boolean =>
  before.expiry !== null &&
  before.expiry.warned_at !== null &&
  after.expiry !== null &&
  after.expiry.warned_at === null;
