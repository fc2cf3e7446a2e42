/**
 * Rules for rejected work that is merged after all: the price is paid from the escrow if it is still there, otherwise
 * from the sender's wallet. What the wallet lacks becomes a debt, paid as soon as it can be.
 */

import { counted } from "../../../text/plural.ts";
import { payDebt } from "../../market/debt.ts";
import { type Posting, payout } from "../../market/ledger.ts";
import { isAccount } from "../account.ts";
import type { Command } from "../command.ts";
import { type Context, change, type Decided, type Decision, showComment, unchanged } from "../decision.ts";
import {
  type Debt,
  isFinal,
  isOnMarket,
  type Job,
  type MarketJob,
  type MarketWork,
  type RejectedWork,
} from "../job.ts";
import { cancelRun, verify } from "./end-attempt.ts";

type Merged = Extract<Command, { type: "merged" }>;

const isHandedIn = ({ status }: Job): boolean => status === "submitted" || status === "verified";

/** Whose work it was, where this merge takes it; a worker, a program and nobody take nothing. Null: it does not. */
export function takenWork(job: MarketJob, { pull_request }: Merged, merger: string | null): RejectedWork | null {
  const work = job.work.turned_down.find((one) => one.pull_request === pull_request);
  if (work === undefined || isAccount(work.account, job.account)) return null;
  // of the attempt that is being looked at: that is for its own rules
  if (job.status === "submitted" && job.pull_request?.number === pull_request) return null;
  return merger === null || isAccount(merger, work.account) ? null : work;
}

const left = ({ work }: MarketJob, { pull_request }: RejectedWork): readonly RejectedWork[] =>
  work.turned_down.filter((one) => one.pull_request !== pull_request);

/** From the wallet, as far as that goes. */
function payFromWallet(job: MarketJob, { account }: RejectedWork, available_cents: number) {
  const { price_cents, id } = job;
  const { debts } = job.work;
  const cents = Math.min(price_cents, Math.max(0, available_cents));
  const debt: Debt = { account, price_cents, paid_cents: 0 };
  const short = price_cents - cents;
  return {
    postings: payDebt(job.account, id, debt, cents),
    debts: short === 0 ? debts : [...debts, { ...debt, paid_cents: cents }],
    note:
      short === 0
        ? `Merged after it was turned down, so ${counted(cents, "cent is", "cents are")} paid for it.`
        : `Merged after it was turned down, so ${counted(price_cents, "cent is", "cents are")} due for it: ${cents} paid, since the sender's wallet held no more, and ${short} owed.`,
  };
}

export function payTaken(
  job: MarketJob,
  rejected: RejectedWork,
  report: Merged,
  { now, available_cents }: Context,
): Decided {
  const turned_down = left(job, rejected);
  // another's work is with the sender, or was paid from the escrow: that stays as it is
  if (isHandedIn(job)) {
    const { postings, debts, note } = payFromWallet(job, rejected, available_cents);
    const set = { work: { ...job.work, turned_down, debts } };
    const effects = [showComment(now, "now")];
    return change(job, now, { set, event: "paid", by: report.by, note, postings, effects });
  }
  const paid = isFinal(job.status) ? payFromWallet(job, rejected, available_cents) : fromEscrow(job, rejected);
  const { agent_id, account } = rejected;
  const work: MarketWork = { ...job.work, worker: { agent_id, account }, hold: null, debts: paid.debts };
  const taken = verify({ ...job, work }, now, {
    set: { merged_at: report.at, notice: null, waiting_messages: [] },
    by: report.by,
    note: paid.note,
    effects: [...cancelRun(job), showComment(now, "now")],
  });
  const merged = change(taken.job, now, {
    set: { work: { ...work, turned_down } },
    event: "merged",
    by: report.by,
  });
  return { ...taken, job: merged.job, postings: paid.postings, history: [...taken.history, ...merged.history] };
}

const fromEscrow = ({ id, price_cents, work: { debts } }: MarketJob, { account }: RejectedWork) => ({
  postings: payout(account, id, price_cents),
  debts,
  note: `Merged after it was turned down, so ${counted(price_cents, "cent is", "cents are")} paid for it.`,
});

/** The sender's wallet has money again. */
export function settleDebts(job: Job, { now, available_cents }: Context): Decision {
  if (!isOnMarket(job)) return unchanged;
  const { account, id, work } = job;
  const postings: Posting[] = [];
  let available = Math.max(0, available_cents);
  const after = work.debts.map((debt) => {
    const cents = Math.min(available, debt.price_cents - debt.paid_cents);
    available -= cents;
    postings.push(...payDebt(account, id, debt, cents));
    return { ...debt, paid_cents: debt.paid_cents + cents };
  });
  if (postings.length === 0) return unchanged;
  const open = after.filter(({ price_cents, paid_cents }) => paid_cents < price_cents);
  const note = open.length === 0 ? "All that was owed is paid." : "Some of what was owed is paid.";
  return change(job, now, { set: { work: { ...work, debts: open } }, event: "paid", note, postings });
}
