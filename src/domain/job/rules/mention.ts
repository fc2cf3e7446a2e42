/**
 * Rules for telling the requester that a job goes no further without a person. GitHub notifies nobody of an edited comment,
 * so a new one mentions them: one in a round at most, and none for what they are told by the job's first comment.
 */
import type { Command, Report } from "../command.ts";
import { atOnce, type Context, change, type Decision, showComment, unchanged } from "../decision.ts";
import { isSenderAsked, issueOf, type Job, type Mention } from "../job.ts";
import { needsPerson } from "../merge-verdict.ts";
import { NO_CHECKS_LIMIT_MS } from "../next-timer.ts";
import { heldReviews } from "../reviews.ts";

type Why = Mention["why"];

/** Checks that no event announces may still come; after this a person has to look. */
function checksAreMissing({ status, reasons, submitted_at, woken_at }: Job): boolean {
  const [work] = reasons;
  const isLate = submitted_at !== null && woken_at !== null && woken_at >= submitted_at + NO_CHECKS_LIMIT_MS;
  return status === "submitted" && isLate && work !== undefined && needsPerson(work);
}

/** Of work that lies in a pull request, or with its sender. */
function whyHandedIn(job: Job): Why | null {
  if (job.merged_at !== null || job.cancellation_requested) return null;
  if (isSenderAsked(job)) return "sender";
  if (heldReviews(job).length > 0) return "reviews";
  if (job.catch_up.stuck !== null) return "stuck";
  return job.expiry !== null && job.expiry.warned_at !== null ? "expiry" : null;
}

function whyNow(job: Job): Why | null {
  switch (job.status) {
    case "waiting_for_user":
      return "question";
    case "failed":
      return "failed";
    case "submitted":
    case "verified":
      return whyHandedIn(job);
    default:
      return null;
  }
}

/** What its state alone does not tell: settings keep a merge back too, which people know, and checks are looked at first. */
function whyBy(command: Command, job: Job): Why | null {
  if (command.type === "merge-refused") return job.status === "verified" && job.merge.state === "off" ? "merge" : null;
  return command.type === "observe" && checksAreMissing(job) ? "checks" : null;
}

function whyAfter(before: Job | null, command: Command, after: Job): Why | null {
  const why = whyNow(after);
  if (why === null) return whyBy(command, after);
  return before !== null && why === whyNow(before) ? null : why;
}

/** Somebody can be told, and has not been in this round. */
const isToTell = ({ requester, origin, comment, mention, round }: Job): boolean =>
  requester !== null && issueOf(origin) !== null && comment !== null && mention?.round !== round;

/** The decision with a word to the requester, where it leaves the job to a person. */
export function tellRequester(before: Job | null, command: Command, decision: Decision): Decision {
  if (decision.kind !== "decided" || !isToTell(decision.job)) return decision;
  const { job } = decision;
  const { round } = job;
  const why = whyAfter(before, command, job);
  if (why === null) return decision;
  return {
    ...decision,
    job: { ...job, mention: { round, why, comment_id: null } },
    effects: [...decision.effects, atOnce({ type: "mention-requester", round })],
  };
}

/** The job's comment leads there. */
export function requesterMentioned(job: Job, report: Report<"requester-mentioned">, { now }: Context): Decision {
  const { mention } = job;
  if (mention === null || mention.round !== report.round) return unchanged;
  const set = { mention: { ...mention, comment_id: report.mention_id } };
  return change(job, now, { set, effects: [showComment(now, "now")] });
}
