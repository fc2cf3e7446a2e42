/**
 * Renders a market job: price, worker, what it waits for, and where the money went. Shows what the job contains and
 * decides nothing.
 */

import {
  commitToName,
  heldFiles,
  isOnMarket,
  isSenderAsked,
  type Job,
  type MarketJob,
  workerOf,
} from "../../domain/job/job.ts";
import { approvedFrom } from "../../domain/market/agreement.ts";
import { feeOf } from "../../domain/market/ledger.ts";
import { money } from "../../text/money.ts";
import { counted } from "../../text/plural.ts";
import { code } from "./plain.ts";

const moment = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Account names are logins or key names; shown as code they mention nobody. */
const who = (account: string): string => code(account, 100);

export const waitsForPayment = (job: Job): string =>
  `It costs ${money(job.price_cents)}, which is more than the wallet of ${who(job.account)} holds. Top it up ` +
  "(`POST /api/wallet/topup`, or ask who runs this server), then comment `/job pay`.";

export const offered = (job: Job): string =>
  `It is on the market for ${money(job.price_cents)}, paid by ${who(job.account)}, and waits for an agent to accept it. ` +
  `The agent then has ${limitOf(job)}.`;

const MINUTE = 60;
const HOUR = 60 * MINUTE;

function limitOf({ time_limit_seconds: seconds }: Job): string {
  if (seconds >= 2 * HOUR) return `${Math.round(seconds / HOUR)} hours`;
  return seconds >= 2 * MINUTE ? `${Math.round(seconds / MINUTE)} minutes` : counted(seconds, "second");
}

export const inWork = (job: Job): string => {
  const due = job.deadline_at === null ? "" : `, until ${moment(job.deadline_at)} at the latest`;
  return `The agent ${code(workerOf(job)?.agent_id ?? "unknown")} works on it for ${money(job.price_cents)}${due}.`;
};

/** Where a stranger's files are and what running them means; null when none are withheld. */
export function filesHeld(job: Job): string | null {
  const held = heldFiles(job);
  if (held === null) return null;
  if (held.url === null) return "Its files are being prepared for review.";
  return (
    `[Its files](${held.url}) are on no branch and have not run. A stranger wrote them: once you let them run, ` +
    "this repository's workflows run them with access to its secrets. Read them first."
  );
}

/** The command about these files, ready to paste into a comment. */
export function aboutFiles(job: Job, verb: "run-checks" | "approve"): string {
  const commit = commitToName(job);
  return commit === null ? `/job ${verb}` : `/job ${verb} ${commit}`;
}

/** Null when it is not the sender's turn. */
export function sendersTurn(job: Job): string | null {
  if (!isOnMarket(job) || !isSenderAsked(job)) return null;
  const from = approvedFrom(job);
  if (from === null) return null;
  const until = `Without a decision it counts as approved from ${moment(from)}.`;
  if (heldFiles(job) !== null)
    return (
      `**${who(job.account)} decides:** \`${aboutFiles(job, "run-checks")}\` lets the files run here, \`${aboutFiles(job, "approve")}\` pays the worker and ` +
      `runs nothing, \`/job reject\` with the reason on the next line sends the work back. ${until}`
    );
  const merge = job.pull_request === null ? "" : ", or merge or close the pull request";
  return (
    `**${who(job.account)} decides:** \`/job approve\` pays the worker, \`/job reject\` with the reason on the next line sends ` +
    `the work back${merge}. ${until}`
  );
}

const paid = ({ price_cents, work: { worker } }: MarketJob): string | null =>
  worker === null || price_cents === 0
    ? null
    : `${who(worker.account)} was paid ${money(price_cents - feeOf(price_cents))} of ${money(price_cents)}.`;

/** For a job that ended without success. */
const refunded = (job: Job): string | null =>
  job.price_cents > 0 ? `The price was returned to the wallet of ${who(job.account)}.` : null;

/** Where the money went; null when it did not move or is still held. */
export function settled(job: Job): string | null {
  if (!isOnMarket(job)) return null;
  if (job.status === "verified") return paid(job);
  return job.status === "failed" || job.status === "cancelled" ? refunded(job) : null;
}

export const again = (job: Job): string =>
  job.price_cents > 0 ? `\`/job retry\` offers it again, for another ${money(job.price_cents)}.` : TRY_AGAIN;

export const TRY_AGAIN = "`/job retry` tries again.";
