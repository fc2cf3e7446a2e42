/**
 * What Stripe's signed events say of money: paid in, taken back by a dispute, given back, refunded. Each movement has an id
 * of what it is about, not of its event: told twice it is the same, and in whatever order the events come, the same
 * movements are told in the end.
 */
import { z } from "zod";
import type { PaymentEvent } from "../engine/ports/payments.ts";

export const CURRENCY = "usd";

/** Marks sessions as ours: others may be paid at the same Stripe account. */
export const PURPOSE = "journeyman-topup";

/** What has to be asked for, since an event does not tell it. Throws when Stripe cannot be asked. */
export interface StripeFacts {
  /** The Checkout session that was paid by this, as Stripe has it; null: there is none. */
  sessionOf(payment_intent: string): Promise<unknown>;
  refundsOf(charge: string): Promise<readonly unknown[]>;
}

const sessionSchema = z.object({
  id: z.string(),
  payment_status: z.string(),
  amount_total: z.number().int().nullable(),
  currency: z.string().nullable(),
  metadata: z.object({ purpose: z.literal(PURPOSE), account: z.string().min(1) }),
});

/** Of an object that may stand there whole. */
const idOf = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

const disputeSchema = z.object({
  id: z.string(),
  amount: z.number().int().nonnegative(),
  currency: z.literal(CURRENCY),
  payment_intent: idOf,
  status: z.string(),
  /** In the currency that Stripe settles in; none while nothing was withdrawn. */
  balance_transactions: z.array(z.object({ amount: z.number().int() })).default([]),
});
type Dispute = z.infer<typeof disputeSchema>;

const refundSchema = z.object({
  id: z.string(),
  amount: z.number().int().nonnegative(),
  currency: z.literal(CURRENCY),
  payment_intent: idOf,
  status: z.string().nullable(),
});
type Refund = z.infer<typeof refundSchema>;

const chargeSchema = z.object({ id: z.string(), currency: z.literal(CURRENCY) });

const NOTHING: readonly PaymentEvent[] = [];

/** Of one session, whichever of its events tells of it. */
function paid(object: unknown): readonly PaymentEvent[] {
  const parsed = sessionSchema.safeParse(object);
  if (!parsed.success) return NOTHING;
  const { id, payment_status, amount_total: cents, currency, metadata } = parsed.data;
  if (payment_status !== "paid" || currency !== CURRENCY || cents === null || cents <= 0) return NOTHING;
  return [{ id: `stripe-${id}`, account: metadata.account, cents, reason: "topup", action: "topup" }];
}

/** Whose payment it was; null: it was no top-up of ours. */
async function payerOf(facts: StripeFacts, payment_intent: string): Promise<string | null> {
  const parsed = sessionSchema.safeParse(await facts.sessionOf(payment_intent));
  return parsed.success ? parsed.data.metadata.account : null;
}

const sum = (amounts: readonly number[]): number => amounts.reduce((all, amount) => all + amount, 0);

/** How much of it has come back: a payment that was refunded in part comes back in part. */
function reinstated({ amount, balance_transactions }: Dispute): number {
  const amounts = balance_transactions.map((transaction) => transaction.amount);
  const [out, back] = [-sum(amounts.filter((cents) => cents < 0)), sum(amounts.filter((cents) => cents > 0))];
  return out > 0 && back > 0 ? Math.min(amount, Math.round((amount * back) / out)) : amount;
}

const OVER: readonly string[] = ["won", "lost", "warning_closed", "prevented"];

/**
 * The amount is the sender's to bear, Stripe's fee for the dispute ours. What was withdrawn and reinstated is told by the
 * event's type and by the dispute's own balance transactions: an inquiry has none.
 */
async function disputed(facts: StripeFacts, type: string, object: unknown): Promise<readonly PaymentEvent[]> {
  const parsed = disputeSchema.safeParse(object);
  if (!parsed.success) return NOTHING;
  const dispute = parsed.data;
  const account = await payerOf(facts, dispute.payment_intent);
  if (account === null) return NOTHING;
  const has = (sign: -1 | 1): boolean => dispute.balance_transactions.some(({ amount }) => Math.sign(amount) === sign);
  const back = type === "charge.dispute.funds_reinstated" || has(1);
  const out = back || type === "charge.dispute.funds_withdrawn" || has(-1);
  const about = { account, reason: "dispute" } as const;
  const named = (step: string) => ({ ...about, id: `stripe-${dispute.id}-${step}`, action: `dispute-${step}` });
  return [
    { ...named("opened"), cents: 0 },
    ...(out ? [{ ...named("withdrawn"), cents: -dispute.amount }] : []),
    ...(back ? [{ ...named("reinstated"), cents: reinstated(dispute) }] : []),
    ...(OVER.includes(dispute.status) ? [{ ...named(`closed-${dispute.status.replaceAll("_", "-")}`), cents: 0 }] : []),
  ];
}

/** One that did not reach the payer was taken and given back. */
async function refunded(facts: StripeFacts, object: unknown): Promise<readonly PaymentEvent[]> {
  const parsed = refundSchema.safeParse(object);
  if (!parsed.success) return NOTHING;
  const { id, amount, status, payment_intent }: Refund = parsed.data;
  const failed = status === "failed" || status === "canceled";
  if (!failed && status !== "succeeded" && status !== "pending") return NOTHING;
  const account = await payerOf(facts, payment_intent);
  if (account === null) return NOTHING;
  const about = { account, reason: "topup_refund" } as const;
  return [
    { ...about, id: `stripe-${id}`, cents: -amount, action: "topup-refunded" },
    ...(failed ? [{ ...about, id: `stripe-${id}-failed`, cents: amount, action: "topup-refund-failed" }] : []),
  ];
}

async function chargeRefunded(facts: StripeFacts, object: unknown): Promise<readonly PaymentEvent[]> {
  const parsed = chargeSchema.safeParse(object);
  if (!parsed.success) return NOTHING;
  const all: PaymentEvent[] = [];
  for (const refund of await facts.refundsOf(parsed.data.id)) all.push(...(await refunded(facts, refund)));
  return all;
}

/** What a verified event means; none: nothing of ours. */
export async function paymentEventsOf(
  facts: StripeFacts,
  type: string,
  object: unknown,
): Promise<readonly PaymentEvent[]> {
  switch (type) {
    // both tell of money that is there: cards at once, slower ways of paying later
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
      return paid(object);
    case "charge.dispute.created":
    case "charge.dispute.updated":
    case "charge.dispute.closed":
    case "charge.dispute.funds_withdrawn":
    case "charge.dispute.funds_reinstated":
      return disputed(facts, type, object);
    case "refund.created":
    case "refund.updated":
    case "refund.failed":
    case "charge.refund.updated":
      return refunded(facts, object);
    case "charge.refunded":
      return chargeRefunded(facts, object);
    default:
      return NOTHING;
  }
}
