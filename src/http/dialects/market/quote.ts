/**
 * Quotes: estimates that were shown to a sender, who may order at that price for a while. A quote contains the id of
 * the job that it becomes, so it can be ordered once.
 */
import { randomBytes } from "node:crypto";
import { limitWithin, priceWithin } from "../../../domain/market/bounds.ts";
import type { Quote, QuoteStore } from "../../../engine/ports/estimates.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import { failure, type HttpResult } from "../../routing/answer.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";
import type { Order } from "./order.ts";

/** How long an estimate may be ordered at. */
export const QUOTE_GOOD_MS = 15 * 60_000;

const ID_BYTES = 12;

export interface QuoteParts {
  readonly quotes: QuoteStore;
  readonly service: Pick<JobService, "drawId" | "estimate">;
  readonly now: () => number;
}

/** Who asks for what: the account, and what the estimate rests on. */
export interface Asking extends Pick<Quote, "account" | "body" | "prompt"> {
  readonly order: Order;
}

/** The terms of an order. `job_id`: under which it must be made; null: under any. */
export type Terms = Pick<
  Quote,
  "title" | "description" | "requirements" | "skills" | "price_cents" | "time_limit_seconds"
> & {
  readonly job_id: Quote["job_id"] | null;
};

type Numbered = Pick<Quote, "price_cents" | "time_limit_seconds">;

const withinBounds = ({ price_cents, time_limit_seconds }: Numbered): Numbered => ({
  price_cents: priceWithin(price_cents),
  time_limit_seconds: limitWithin(time_limit_seconds),
});

function estimateFor({ service }: QuoteParts, { account, order }: Asking): ReturnType<JobService["estimate"]> {
  const { prompt, price_cents, time_limit_seconds } = order;
  return service.estimate(account, { prompt: prompt.trim(), price_cents, time_limit_seconds });
}

export async function makeQuote(parts: QuoteParts, asked: Asking): Promise<Quote | HttpResult> {
  const { order: _, ...asking } = asked;
  const made = await estimateFor(parts, asked);
  if (!made.ok) return refusalToHttp(made.refusal);
  const { estimate } = made;
  const quote: Quote = {
    ...estimate,
    ...asking,
    ...withinBounds(estimate),
    id: randomBytes(ID_BYTES).toString("hex"),
    job_id: await parts.service.drawId(),
    at: parts.now(),
  };
  await parts.quotes.add(quote);
  return quote;
}

export const goodUntil = ({ at }: Quote): number => at + QUOTE_GOOD_MS;

const NO_QUOTE = failure(
  404,
  "quote_not_found",
  "There is no such quote; ask for one without confirmed, then order it.",
);
const EXPIRED = failure(410, "quote_expired", "The quote has expired; ask for a new one without confirmed.");
const OTHER = failure(
  400,
  "quote_mismatch",
  "The quote is for another prompt, repository, price or limit; send what it was given for, or ask for a new one.",
);

const differs = (given: number | null, quoted: number): boolean => given !== null && given !== quoted;

async function namedQuote(
  parts: QuoteParts,
  { account, prompt, order }: Asking,
  id: string,
): Promise<Terms | HttpResult> {
  const quote = await parts.quotes.byId(id);
  if (quote === null || quote.account !== account) return NO_QUOTE;
  const other =
    quote.prompt !== prompt ||
    differs(order.price_cents, quote.price_cents) ||
    differs(order.time_limit_seconds, quote.time_limit_seconds);
  return other ? OTHER : quote;
}

/** Is this answer's quote too old to be ordered for the first time? */
export async function isExpired(parts: QuoteParts, id: string): Promise<boolean> {
  const quote = await parts.quotes.byId(id);
  return quote === null || goodUntil(quote) <= parts.now();
}

export { EXPIRED as QUOTE_EXPIRED };

/** At which terms this is ordered: those that were shown last for it, or new ones where none were or they are too old. */
export async function termsOf(parts: QuoteParts, asking: Asking): Promise<Terms | HttpResult> {
  const { order } = asking;
  if (order.quote_id !== null) return namedQuote(parts, asking, order.quote_id);
  const shown = await parts.quotes.newest(asking.account, asking);
  if (shown === null || goodUntil(shown) <= parts.now()) {
    const made = await estimateFor(parts, asking);
    return made.ok ? { ...made.estimate, ...withinBounds(made.estimate), job_id: null } : refusalToHttp(made.refusal);
  }
  return {
    ...shown,
    price_cents: order.price_cents ?? shown.price_cents,
    time_limit_seconds: order.time_limit_seconds ?? shown.time_limit_seconds,
    job_id: null,
  };
}
