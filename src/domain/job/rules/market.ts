/** How agents of the market take work: pull, reject, accept, submit, fail. Holds and deadlines are exact at read time. */

import { marketOf } from "../../../contracts/settings.ts";
import { accountNamed } from "../account.ts";
import type { Command } from "../command.ts";
import { atOnce, type Context, change, type Decision, refuse, unchanged } from "../decision.ts";
import { holdOf, isOnMarket, type Job, marketWork, statusAt, workerOf } from "../job.ts";
import { failAttempt, withoutHold } from "./end-attempt.ts";
import { takeIn } from "./reviewing.ts";

/** How long an agent may look at a job that it pulled. */
export const HOLD_MS = 30_000;

/** Agents that are remembered as having seen a job, the newest. */
const MOST_PRESENTED = 1_000;

export const marketOff = (repository: string): string =>
  `The market is off for ${repository}. Whoever may push there turns it on with \`market: {enabled: true}\` in .github/journeyman.yml on its default branch.`;

const TIME_EXCEEDED = "The time limit was exceeded.";

export function pull(job: Job, command: Extract<Command, { type: "pull" }>, { now }: Context): Decision {
  if (!isOnMarket(job)) return refuse("not_found", "This job is not on the market.");
  const status = statusAt(job, now);
  if (status !== "queued") return refuse("wrong_status", `This job is ${status}; only a queued job can be pulled.`);
  const { agent_id } = command;
  return change(job, now, {
    set: {
      status: "held",
      work: {
        ...job.work,
        hold: { agent_id, account: accountNamed(command.account), expires_at: now + HOLD_MS },
        presented_to_agents: [...new Set([...job.work.presented_to_agents, agent_id])].slice(-MOST_PRESENTED),
      },
      woken_at: null,
    },
    event: "held",
    by: agent_id,
  });
}

/** The work of a job that this agent holds; null: it does not. */
function heldBy(job: Job, agent_id: string, now: number) {
  const work = marketWork(job);
  return work?.hold?.agent_id === agent_id && statusAt(job, now) === "held" ? { ...work, hold: work.hold } : null;
}

export function reject(job: Job, agent_id: string, { now }: Context): Decision {
  const work = heldBy(job, agent_id, now);
  if (work === null) return refuse("wrong_status", "You do not hold this job; pull one first.");
  return change(job, now, {
    set: { status: "queued", work: { ...work, hold: null } },
    event: "queued",
    by: agent_id,
    note: "Rejected.",
  });
}

const wasPresentedTo = (job: Job, agent_id: string): boolean =>
  marketWork(job)?.presented_to_agents.includes(agent_id) === true;

export function accept(job: Job, agent_id: string, { now }: Context): Decision {
  if (job.status === "accepted" && workerOf(job)?.agent_id === agent_id) return unchanged;
  const work = heldBy(job, agent_id, now);
  if (work === null)
    // a timer may have come by, and others have held it since: for whom it was once offered to, the hold is over
    return wasPresentedTo(job, agent_id)
      ? refuse("hold_expired", "Your hold on this job has expired; pull again.")
      : refuse("wrong_status", "You do not hold this job; pull one first.");
  const set = {
    status: "accepted",
    work: { ...work, hold: null, worker: { agent_id, account: work.hold.account } },
    accepted_at: now,
    deadline_at: now + job.time_limit_seconds * 1000,
    attempt_count: job.attempt_count + 1,
    woken_at: null,
  } as const;
  return change(job, now, {
    set,
    event: "accepted",
    by: agent_id,
    effects: [atOnce({ type: "push-brief", round: job.round, attempt: job.attempt })],
  });
}

const TOO_LATE = "The time limit is exceeded; the work can no longer be submitted.";

/** A timer has thrown this agent's attempt away before its work came. */
const wasLate = (job: Job, agent_id: string): boolean => job.failure === TIME_EXCEEDED && wasPresentedTo(job, agent_id);

export function submit(job: Job, command: Extract<Command, { type: "submit" }>, { now }: Context): Decision {
  const work = marketWork(job);
  if (job.status !== "accepted" || work?.worker?.agent_id !== command.agent_id)
    return wasLate(job, command.agent_id)
      ? refuse("deadline_passed", TOO_LATE)
      : refuse("wrong_status", "You have not accepted this job; only its worker can submit.");
  if (job.deadline_at !== null && now >= job.deadline_at) return refuse("deadline_passed", TOO_LATE);
  const submission = command.submission ?? null;
  const held = submission !== null && submission.files.length > 0 && !mayRun(job);
  return change(job, now, {
    set: {
      status: "submitted",
      submitted_at: now,
      result: command.result,
      work: { ...work, delivery: held ? { ...submission, held: { sha: null, url: null } } : submission },
      failure: null,
      woken_at: null,
    },
    event: "submitted",
    by: command.agent_id,
    effects: held ? [atOnce({ type: "show-files", round: job.round, attempt: job.attempt })] : takeIn(job, submission),
  });
}

/** The settings of this very attempt are known, and its owner has said that a stranger's files run as they come. */
const mayRun = ({ pushed_at, settings }: Job): boolean =>
  pushed_at !== null && marketOf(settings).run_checks === "always";

const isThisAttempt = (job: Job, report: { readonly round: number; readonly attempt: number }): boolean =>
  job.status === "submitted" && report.round === job.round && report.attempt === job.attempt;

export function filesDelivered(
  job: Job,
  report: Extract<Command, { type: "files-delivered" }>,
  { now }: Context,
): Decision {
  return isThisAttempt(job, report) ? change(job, now, { set: { head_sha: report.head_sha } }) : unchanged;
}

export function submissionRefused(
  job: Job,
  report: Extract<Command, { type: "submission-refused" }>,
  { now }: Context,
): Decision {
  return isThisAttempt(job, report) ? failAttempt(job, now, report.sentence) : unchanged;
}

export function fail(job: Job, command: Extract<Command, { type: "fail" }>, { now }: Context): Decision {
  const mine = workerOf(job)?.agent_id === command.agent_id;
  if (!mine || (job.status !== "accepted" && job.status !== "submitted"))
    return refuse("wrong_status", "You have not accepted this job; only its worker can give it up.");
  return failAttempt(job, now, command.reason);
}

/** Time has passed for a job that somebody holds or works on. */
export function releaseHold(job: Job, { now }: Context): Decision {
  const hold = holdOf(job);
  if (job.status !== "held" || hold === null || hold.expires_at > now) return unchanged;
  return change(job, now, {
    set: { status: "queued", work: withoutHold(job.work) },
    event: "queued",
    note: "The hold expired.",
  });
}

export function missDeadline(job: Job, { now }: Context): Decision {
  if (job.status !== "accepted" || job.deadline_at === null || now < job.deadline_at) return unchanged;
  return failAttempt(job, now, TIME_EXCEEDED);
}
