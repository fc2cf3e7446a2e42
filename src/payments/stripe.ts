/**
 * Top-ups through Stripe Checkout: creates the checkout page, and verifies and parses Stripe's events. Stores nothing;
 * callers book the movements. Loaded only when a key is set.
 */
import Stripe from "stripe";
import * as z from "zod";
import type { Secret } from "../contracts/secret.ts";
import type { Log } from "../engine/ports/log.ts";
import type { PaymentProvider } from "../engine/ports/payments.ts";
import { parseForeignJson } from "../text/json-bounds.ts";
import { CURRENCY, PURPOSE, paymentEventsOf, type StripeFacts } from "./stripe-events.ts";

export interface StripeSettings {
  readonly secret_key: Secret;
  readonly webhook_secret: Secret;
  /** Address of Stripe's API; null for the default. */
  readonly api_url: string | null;
}

const TIMEOUT_MS = 15_000;
const MAX_RETRIES = 2;
/** Maximum age of a signature; the SDK's default. */
const TOLERANCE_SECONDS = 300;

/** Where Stripe sends people after the payment. */
const RETURN_PATH = "/";

function clientOf({ secret_key, api_url }: StripeSettings): Stripe {
  const shared = { timeout: TIMEOUT_MS, maxNetworkRetries: MAX_RETRIES, telemetry: false };
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

/** Items per page: a payment has one session and few refunds. */
const MAX_REFUNDS = 100;

const factsOf = (stripe: Stripe): Omit<StripeFacts, "notBooked"> => ({
  async sessionOf(payment_intent) {
    return (await stripe.checkout.sessions.list({ payment_intent, limit: 1 })).data[0] ?? null;
  },
  async refundsOf(charge) {
    return (await stripe.refunds.list({ charge, limit: MAX_REFUNDS })).data;
  },
});

const eventSchema = z.object({ id: z.string(), type: z.string(), data: z.object({ object: z.unknown() }) });

const NOT_BOOKED =
  "Money has moved at Stripe that is not booked here: look the object up in Stripe's dashboard, credit the account for a payment, and settle with its holder what was taken back";

/** `counted`: called for each movement that could not be booked. */
export function createStripeProvider(
  settings: StripeSettings,
  address: string,
  log: Log,
  counted: () => void = () => {},
): PaymentProvider {
  const stripe = clientOf(settings);
  const factsFor = (event: string, type: string): StripeFacts => ({
    ...factsOf(stripe),
    notBooked(movement) {
      counted();
      log.error({ ...movement, event, type, error_code: "not_booked" }, NOT_BOOKED);
    },
  });
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
            success_url: `${address}${RETURN_PATH}`,
            cancel_url: `${address}${RETURN_PATH}`,
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

    async readEvent(body, signature) {
      const { signature: checker } = stripe.webhooks;
      if (checker === null) throw new Error("This build of Stripe's SDK cannot verify signatures.");
      try {
        const secret = settings.webhook_secret.reveal();
        await checker.verifyHeaderAsync(body, signature, secret, TOLERANCE_SECONDS);
      } catch (error) {
        if (error instanceof Stripe.errors.StripeSignatureVerificationError) return "forged";
        throw error;
      }
      const told = eventSchema.safeParse(parseForeignJson(body.toString("utf8")));
      // Signed but unknown: acknowledged, since Stripe would resend it for days.
      if (!told.success) return { event: "unknown", movements: [] };
      const { id: event, type: about, data } = told.data;
      try {
        return { event, movements: await paymentEventsOf(factsFor(event, about), about, data.object) };
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeError)) throw error;
        const { type, statusCode: status, requestId: request } = error;
        log.error({ type, status, request, event: about }, "Stripe did not return the details of an event");
        return "away";
      }
    },
  };
}
