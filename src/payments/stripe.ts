/**
 * Top-ups through Stripe Checkout: makes the page, and reads what Stripe says of payments. Keeps nothing; what a receipt
 * is worth to an account is booked elsewhere. Loaded only where a key is set.
 */
import Stripe from "stripe";
import { z } from "zod";
import type { Cashier, Receipt } from "../engine/market-ports.ts";
import type { Log } from "../engine/ports.ts";
import type { Secret } from "../wire/secret.ts";

export interface StripeSettings {
  readonly secret_key: Secret;
  readonly webhook_secret: Secret;
  /** Where Stripe's API is; null: at Stripe. */
  readonly api_url: string | null;
}

const CURRENCY = "usd";
const TIMEOUT_MS = 15_000;
const MOST_RETRIES = 2;

/** Where people come back to. */
const BACK = "/";

/** Marks sessions as ours: others may be paid at the same Stripe account. */
const PURPOSE = "journeyman-topup";

const sessionSchema = z.object({
  id: z.string(),
  payment_status: z.string(),
  amount_total: z.number().int().nullable(),
  currency: z.string().nullable(),
  metadata: z.object({ purpose: z.literal(PURPOSE), account: z.string().min(1) }),
});

/** Both tell of money that is there: cards at once, slower ways of paying later. */
const PAID_EVENTS: readonly string[] = ["checkout.session.completed", "checkout.session.async_payment_succeeded"];

function clientOf({ secret_key, api_url }: StripeSettings): Stripe {
  const shared = { timeout: TIMEOUT_MS, maxNetworkRetries: MOST_RETRIES, telemetry: false };
  if (api_url === null) return new Stripe(secret_key.reveal(), shared);
  const { hostname, port, protocol } = new URL(api_url);
  const is_http = protocol === "http:";
  return new Stripe(secret_key.reveal(), {
    ...shared,
    host: hostname,
    port: port === "" ? (is_http ? 80 : 443) : Number(port),
    protocol: is_http ? "http" : "https",
  });
}

/** Of one session, whichever of its events tells of it. */
function receiptOf(object: unknown): Receipt | null {
  const parsed = sessionSchema.safeParse(object);
  if (!parsed.success) return null;
  const { id, payment_status, amount_total, currency, metadata } = parsed.data;
  if (payment_status !== "paid" || currency !== CURRENCY || amount_total === null || amount_total <= 0) return null;
  return { payment: id, account: metadata.account, cents: amount_total };
}

export function createStripeCashier(settings: StripeSettings, address: string, log: Log): Cashier {
  const stripe = clientOf(settings);
  return {
    async checkout({ account, cents, key }) {
      try {
        const session = await stripe.checkout.sessions.create(
          {
            mode: "payment",
            line_items: [
              {
                quantity: 1,
                price_data: { currency: CURRENCY, unit_amount: cents, product_data: { name: `Balance of ${account}` } },
              },
            ],
            client_reference_id: account,
            metadata: { purpose: PURPOSE, account },
            success_url: `${address}${BACK}`,
            cancel_url: `${address}${BACK}`,
          },
          key === null ? {} : { idempotencyKey: `topup-${key}` },
        );
        return session.url === null ? null : { id: session.id, url: session.url };
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeError)) throw error;
        log.error(
          { type: error.type, status: error.statusCode, request: error.requestId },
          "Stripe refused a checkout",
        );
        return null;
      }
    },

    async receipt(body, signature) {
      let event: Stripe.Event;
      try {
        event = await stripe.webhooks.constructEventAsync(body, signature, settings.webhook_secret.reveal());
      } catch (error) {
        if (error instanceof Stripe.errors.StripeSignatureVerificationError) return "forged";
        throw error;
      }
      return PAID_EVENTS.includes(event.type) ? receiptOf(event.data.object) : null;
    },
  };
}
