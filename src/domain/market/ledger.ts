/**
 * Double entry: every movement is a set of postings that sums to zero over the accounts
 * `user:{account}`, `escrow:{job}`, `fees` and `outside`. Integer cents.
 */
import { accountNamed } from "../job/account.ts";
import type { JobId } from "../job/job.ts";

export type LedgerAccount = `user:${string}` | `escrow:${string}` | "fees" | "outside";

export const POSTING_REASONS = [
  "charge",
  "payout",
  "fee",
  "refund",
  "credit",
  "topup",
  // taken back by the payer's bank, given back to the payer, and the same undone
  "dispute",
  "topup_refund",
] as const;

/** Money outside is gone, whatever the account holds: these alone may leave it below zero. */
export const mayOverdraw = ({ reason }: Posting): boolean => reason === "dispute" || reason === "topup_refund";

export interface Posting {
  readonly account: LedgerAccount;
  /** Positive: the account gains. */
  readonly cents: number;
  readonly reason: (typeof POSTING_REASONS)[number];
}

export const userAccount = (account: string): LedgerAccount => `user:${accountNamed(account)}`;
export const escrowAccount = (id: JobId): LedgerAccount => `escrow:${id}`;

/** 20 % rounded half up, plus 50 cents, never above the price. */
export const feeOf = (price: number): number => Math.min(price, Math.floor((price * 20 + 50) / 100) + 50);

/** Every movement of nothing is no movement: a job without a price leaves no postings. */
const nonZero = (postings: readonly Posting[]): Posting[] => postings.filter((posting) => posting.cents !== 0);

/** The sender pays into the job's escrow. */
export const charge = (sender: string, id: JobId, price: number): Posting[] =>
  nonZero([
    { account: userAccount(sender), cents: -price, reason: "charge" },
    { account: escrowAccount(id), cents: price, reason: "charge" },
  ]);

/** The escrow goes to the worker, less the fee. */
export const payout = (worker: string, id: JobId, price: number): Posting[] => {
  const fee = feeOf(price);
  return nonZero([
    { account: escrowAccount(id), cents: -price, reason: "payout" },
    { account: userAccount(worker), cents: price - fee, reason: "payout" },
    { account: "fees", cents: fee, reason: "fee" },
  ]);
};

/** The escrow goes back to the sender, whole. */
export const refund = (sender: string, id: JobId, price: number): Posting[] =>
  nonZero([
    { account: escrowAccount(id), cents: -price, reason: "refund" },
    { account: userAccount(sender), cents: price, reason: "refund" },
  ]);

/** Money from outside to a user, by an admin or through a payment provider; negative: back to the outside. */
export const credit = (
  account: string,
  cents: number,
  reason: "credit" | "topup" | "dispute" | "topup_refund" = "credit",
): Posting[] =>
  nonZero([
    { account: "outside", cents: -cents, reason },
    { account: userAccount(account), cents, reason },
  ]);

/** What these postings leave on one account. */
export const balanceOf = (account: LedgerAccount, postings: Iterable<Posting>): number => {
  let sum = 0;
  for (const posting of postings) if (posting.account === account) sum += posting.cents;
  return sum;
};
