/**
 * `POST /api/stripe/webhook`: Stripe's events about payments, disputes and refunds, authenticated by their signature.
 * An event is booked once, however often and in whatever order it arrives.
 */
import type { RequestHandler } from "express";
import * as z from "zod";
import { credit } from "../../../domain/market/ledger.ts";
import type { PaymentEvent } from "../../../engine/ports/payments.ts";
import { isJsonWithinBounds } from "../../../text/json-bounds.ts";
import { failure, send, success } from "../../routing/answer.ts";
import { TOO_DEEP } from "../../routing/checked.ts";
import { type Route, route } from "../../routing/route.ts";
import { NO_PAYMENT_PROVIDER, type WalletParts } from "./wallet.ts";

const FORGED = failure(
  400,
  "invalid_signature",
  "The signature is not Stripe's for this body; check STRIPE_WEBHOOK_SECRET.",
);
/** Stripe sends it again, for three days. */
const AWAY = failure(502, "stripe_unavailable", "Stripe could not be asked what this event is about; send it again.");

/** Stands before the body is read: anybody can come here. */
const signed =
  ({ paymentProvider }: Pick<WalletParts, "paymentProvider">): RequestHandler =>
  (request, response, next) => {
    if (paymentProvider === null) send(request, response, NO_PAYMENT_PROVIDER);
    else if (typeof request.headers["stripe-signature"] !== "string") send(request, response, FORGED);
    else next();
  };

/** Written down whether or not it moves money, once. */
async function book(
  { wallet, service, record, now }: WalletParts,
  event: string,
  movement: PaymentEvent,
): Promise<void> {
  const { id, account, cents, reason, action } = movement;
  const posted = await wallet.post({ id, at: now(), postings: credit(account, cents, reason), note: null });
  if (cents > 0) await service.settleDebts(account);
  if (posted === "known") return;
  const by = { account: null, login: null, via: { key_id: null, address: null, request_id: event } };
  record(by, { action, target: { type: "account", id: account }, repository: null, outcome: "done" });
}

export const stripeWebhook = (parts: WalletParts): Route =>
  route({
    method: "post",
    path: "/api/stripe/webhook",
    operation: "receiveStripeEvent",
    group: "wallet",
    summary: "For Stripe alone",
    about: "Signed by `Stripe-Signature`; it takes no key.",
    scope: null,
    raw: true,
    lenient: true,
    callers: [signed(parts)],
    answers: {
      200: { about: "Heard.", schema: z.object({ received: z.literal(true) }), example: { received: true } },
      400: { about: "The signature is wrong.", codes: ["invalid_signature"] },
      501: { about: "This server takes no payments.", codes: ["not_set_up"] },
      502: { about: "Stripe could not be asked whose payment it is.", codes: ["stripe_unavailable"] },
    },
    async work({ request }) {
      if (parts.paymentProvider === null) return NO_PAYMENT_PROVIDER;
      const signature = request.headers["stripe-signature"];
      const body: unknown = request.body;
      if (typeof signature !== "string" || !Buffer.isBuffer(body)) return FORGED;
      if (!isJsonWithinBounds(body)) return TOO_DEEP;
      const verified = await parts.paymentProvider.readEvent(body, signature);
      if (verified === "forged") return FORGED;
      if (verified === "away") return AWAY;
      for (const movement of verified.movements) await book(parts, verified.event, movement);
      return success(200, { received: true });
    },
  });
