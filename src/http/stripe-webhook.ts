/** `POST /api/stripe/webhook`: what Stripe says of payments. The signature is the key; an event that comes twice pays once. */
import type { RequestHandler } from "express";
import { z } from "zod";
import { credit } from "../job/ledger.ts";
import { isJsonWithinBounds } from "../wire/json-bounds.ts";
import { failure, send, success } from "./answer.ts";
import { TOO_DEEP } from "./checked.ts";
import { type Route, route } from "./route.ts";
import { NO_CASHIER, type WalletParts } from "./wallet.ts";

const FORGED = failure(
  400,
  "invalid_signature",
  "The signature is not Stripe's for this body; check STRIPE_WEBHOOK_SECRET.",
);

/** Stands before the body is read: anybody can come here. */
const signed =
  ({ cashier }: Pick<WalletParts, "cashier">): RequestHandler =>
  (request, response, next) => {
    if (cashier === null) send(request, response, NO_CASHIER);
    else if (typeof request.headers["stripe-signature"] !== "string") send(request, response, FORGED);
    else next();
  };

export const stripeWebhook = ({ wallet, cashier, now }: WalletParts): Route =>
  route({
    method: "post",
    path: "/api/stripe/webhook",
    operation: "receiveStripeEvent",
    group: "wallet",
    summary: "For Stripe alone",
    about: "Signed by `Stripe-Signature`; it takes no key.",
    scope: null,
    raw: true,
    callers: [signed({ cashier })],
    answers: {
      200: { about: "Heard.", schema: z.object({ received: z.literal(true) }), example: { received: true } },
      400: { about: "The signature is wrong.", codes: ["invalid_signature"] },
      501: { about: "This server takes no payments.", codes: ["not_set_up"] },
    },
    async work({ request }) {
      if (cashier === null) return NO_CASHIER;
      const signature = request.headers["stripe-signature"];
      const body: unknown = request.body;
      if (typeof signature !== "string" || !Buffer.isBuffer(body)) return FORGED;
      if (!isJsonWithinBounds(body)) return TOO_DEEP;
      const receipt = await cashier.receipt(body, signature);
      if (receipt === "forged") return FORGED;
      if (receipt !== null) {
        const { payment, account, cents } = receipt;
        const postings = credit(account, cents, "topup");
        await wallet.post({ id: `stripe-${payment}`, at: now(), postings, note: null });
      }
      return success(200, { received: true });
    },
  });
