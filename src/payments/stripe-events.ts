/**
 * Translates Stripe's signed events into movements of money: paid, disputed, returned, refunded. Each movement's id
 * derives from the payment or refund and not from the event, so events can repeat and arrive in any order.
 */
import * as z from "zod";
import type { PaymentEvent } from "../engine/ports/payments.ts";

export const CURRENCY = "usd";

/** Marks our Checkout sessions; the Stripe account may have others. */
export const PURPOSE = "journeyman-topup";

/** Data that the event itself lacks. Throws when Stripe does not answer. */
export interface StripeFacts {
  /** The Checkout session of a payment; null when there is none. */
  sessionOf(payment_intent: string): Promise<unknown>;
  refundsOf(charge: string): Promise<readonly unknown[]>;
  /** Money has moved at Stripe that no account here shows: somebody has to look. */
  notBooked(movement: Unbooked): void;
}

export interface Unbooked {
  /** The object at Stripe; null: it has no id that could be read. */
  readonly object: string | null;
  /** Null: not known. */
  readonly account: string | null;
  readonly amount: number | null;
  readonly currency: string | null;
  /** In a sentence's second half. */
  readonly why: string;
}

const sessionSchema = z.object({
  id: z.string(),
  payment_status: z.string(),
  amount_total: z.number().int().nullable(),
  currency: z.string().nullable(),
  metadata: z.object({ purpose: z.literal(PURPOSE), account: z.string().min(1) }),
});

/** The id of an object, given as id or in full. */
const idOf = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

const takenSchema = z.object({
  id: z.string(),
  amount: z.number().int().nonnegative(),
  currency: z.string(),
  payment_intent: idOf.nullish(),
});

const disputeSchema = takenSchema.extend({
  status: z.string(),
  /** In Stripe's settlement currency; empty while nothing was withdrawn. */
  balance_transactions: z.array(z.object({ amount: z.number().int() })).default([]),
});
type Dispute = z.infer<typeof disputeSchema>;

const refundSchema = takenSchema.extend({ status: z.string().nullable() });
const chargeSchema = z.object({ id: z.string() });

const NOTHING: readonly PaymentEvent[] = [];

const UNREADABLE = "Stripe tells of it in a shape that is not known here";

const namedSchema = z.object({ id: z.string() });

function unreadable(facts: StripeFacts, object: unknown): readonly PaymentEvent[] {
  const named = namedSchema.safeParse(object);
  const id = named.success ? named.data.id : null;
  facts.notBooked({ object: id, account: null, amount: null, currency: null, why: UNREADABLE });
  return NOTHING;
}

/** Of one session, whichever of its events tells of it. */
function paid(facts: StripeFacts, object: unknown): readonly PaymentEvent[] {
  const parsed = sessionSchema.safeParse(object);
  if (!parsed.success) return NOTHING;
  const { id, payment_status, amount_total: cents, currency, metadata } = parsed.data;
  const { account } = metadata;
  if (payment_status !== "paid" || cents === 0) return NOTHING;
  if (currency !== CURRENCY || cents === null || cents < 0) {
    facts.notBooked({ object: id, account, amount: cents, currency, why: `it is not in ${CURRENCY}` });
    return NOTHING;
  }
  return [{ id: `stripe-${id}`, account, cents, reason: "topup", action: "topup" }];
}

/** Whose payment it was that this was taken of; null: it was no top-up of ours, or it cannot be booked. */
async function payerOf(facts: StripeFacts, taken: z.infer<typeof takenSchema>): Promise<string | null> {
  const { id: object, amount, currency, payment_intent } = taken;
  if (payment_intent === null || payment_intent === undefined) {
    facts.notBooked({ object, account: null, amount, currency, why: "it names no payment, so it may be no top-up" });
    return null;
  }
  const parsed = sessionSchema.safeParse(await facts.sessionOf(payment_intent));
  if (!parsed.success) return null;
  const { account } = parsed.data.metadata;
  if (currency === CURRENCY) return account;
  facts.notBooked({ object, account, amount, currency, why: `it is not in ${CURRENCY}` });
  return null;
}

const sum = (amounts: readonly number[]): number => amounts.reduce((all, amount) => all + amount, 0);

/** The amount returned: a partly refunded payment comes back in part. */
function reinstated({ amount, balance_transactions }: Dispute): number {
  const amounts = balance_transactions.map((transaction) => transaction.amount);
  const [out, back] = [-sum(amounts.filter((cents) => cents < 0)), sum(amounts.filter((cents) => cents > 0))];
  return out > 0 && back > 0 ? Math.min(amount, Math.round((amount * back) / out)) : amount;
}

const OVER: readonly string[] = ["won", "lost", "warning_closed", "prevented"];

/**
 * The payer bears the amount, we bear Stripe's dispute fee. Event type and balance transactions tell whether money
 * moved: an inquiry has none.
 */
async function disputed(facts: StripeFacts, type: string, object: unknown): Promise<readonly PaymentEvent[]> {
  const parsed = disputeSchema.safeParse(object);
  if (!parsed.success) return unreadable(facts, object);
  const dispute = parsed.data;
  const account = await payerOf(facts, dispute);
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

/** A refund that failed is booked and reversed. */
async function refunded(facts: StripeFacts, object: unknown): Promise<readonly PaymentEvent[]> {
  const parsed = refundSchema.safeParse(object);
  if (!parsed.success) return unreadable(facts, object);
  const { id, amount, status } = parsed.data;
  const failed = status === "failed" || status === "canceled";
  if (!failed && status !== "succeeded" && status !== "pending") return NOTHING;
  const account = await payerOf(facts, parsed.data);
  if (account === null) return NOTHING;
  const about = { account, reason: "topup_refund" } as const;
  return [
    { ...about, id: `stripe-${id}`, cents: -amount, action: "topup-refunded" },
    ...(failed ? [{ ...about, id: `stripe-${id}-failed`, cents: amount, action: "topup-refund-failed" }] : []),
  ];
}

async function chargeRefunded(facts: StripeFacts, object: unknown): Promise<readonly PaymentEvent[]> {
  const parsed = chargeSchema.safeParse(object);
  if (!parsed.success) return unreadable(facts, object);
  const all: PaymentEvent[] = [];
  for (const refund of await facts.refundsOf(parsed.data.id)) all.push(...(await refunded(facts, refund)));
  return all;
}

/** The movements of a verified event; empty when it is not about our payments. */
export async function paymentEventsOf(
  facts: StripeFacts,
  type: string,
  object: unknown,
): Promise<readonly PaymentEvent[]> {
  switch (type) {
    // Both events mean that the money has arrived: cards at once, slower methods later.
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
      return paid(facts, object);
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
