/**
 * Debts of senders for accepted work that their wallet could not pay. Nothing is lent: the worker gets what the wallet
 * holds, and the rest as soon as it has more.
 */

import { counted } from "../../text/plural.ts";
import { type Debt, type Job, type JobId, marketWork } from "../job/job.ts";
import { type Refusal, refusal } from "../job/refusal.ts";
import { charge, escrowAccount, feeOf, type Posting, userAccount } from "./ledger.ts";

export const owed = (job: Pick<Job, "work">): number =>
  (marketWork(job)?.debts ?? []).reduce((sum, { price_cents, paid_cents }) => sum + price_cents - paid_cents, 0);

/** What the first so many cents of a price are worth to the worker: the fee comes last. */
const workersShare = (price: number, paid: number): number => Math.min(paid, price - feeOf(price));

/** The sender pays so much more of it, right through to the worker. */
export function payDebt(
  sender: string,
  id: JobId,
  { account, price_cents, paid_cents }: Debt,
  cents: number,
): Posting[] {
  if (cents === 0) return [];
  const after = paid_cents + cents;
  const share = workersShare(price_cents, after) - workersShare(price_cents, paid_cents);
  const parts: Posting[] = [
    { account: escrowAccount(id), cents: -cents, reason: "payout" },
    { account: userAccount(account), cents: share, reason: "payout" },
    { account: "fees", cents: cents - share, reason: "fee" },
  ];
  return [...charge(sender, id, cents), ...parts.filter((posting) => posting.cents !== 0)];
}

/** What an account must settle before it orders again. */
export interface Owing {
  /** For work that it has taken and not paid in full. */
  readonly owes_cents: number;
  /** Below zero: a payment of its was taken back. */
  readonly wallet_cents: number;
}

/** Null: the account may order. */
export function inDebt(account: string, { owes_cents, wallet_cents }: Owing): Refusal | null {
  const missing = owes_cents + Math.max(0, -wallet_cents);
  if (missing === 0) return null;
  const because =
    wallet_cents < 0
      ? `The wallet of ${account} is at ${counted(wallet_cents, "cent")}, since a payment was taken back`
      : `${account} owes ${counted(owes_cents, "cent")} for work that was merged after it was turned down`;
  return refusal("in_debt", `${because}; top up at least ${counted(missing, "cent")}, then order again.`);
}
