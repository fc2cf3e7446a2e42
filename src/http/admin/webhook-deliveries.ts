/** `/api/webhooks/{id}/deliveries`: lists and shows what was sent and how it ended, and sends it again. */
import type { Request } from "express";
import * as z from "zod";
import type { StoredDelivery } from "../../engine/ports/outgoing-deliveries.ts";
import type { StoredSubscription } from "../../engine/ports/subscriptions.ts";
import { recordedWebhook } from "../middleware/audited.ts";
import { failure, success } from "../routing/answer.ts";
import { nextLink, pageSchema } from "../routing/paging.ts";
import { type Route, route } from "../routing/route.ts";
import { DISABLED, idParams, NO_WEBHOOK, senderOf, type WebhookParts } from "./webhook-access.ts";
import { DELIVERY_EXAMPLE, deliveryView, deliveryViewSchema } from "./webhook-view.ts";

const shared = { group: "webhooks" } as const;
const deliveryParams = idParams.extend({
  delivery: z.string().meta({ description: "The `webhook-id` that it was sent with." }),
});
const ID = { id: "wh_Ab12Cd34Ef56" };
const ONE = { ...ID, delivery: "msg_Ab12Cd34Ef56Gh78Ij90Kl12Mn3" };
const UNKNOWN = {
  404: { about: "No such webhook or delivery, or it is kept no longer.", codes: ["not_found"] },
} as const;

const NO_DELIVERY = failure(404, "not_found", "There is no such delivery, or it is kept no longer.");

const wholeSchema = deliveryViewSchema
  .extend({ body: z.string().meta({ description: "As it is sent and signed, byte by byte." }) })
  .meta({ id: "WholeDelivery" });
const BODY = '{"type":"webhook.test","timestamp":"2030-01-31T12:00:00.000Z","data":{}}';

interface Found {
  readonly webhook: StoredSubscription;
  readonly delivery: StoredDelivery;
}

async function deliveryOf(parts: WebhookParts, request: Request, id: string, of: string): Promise<Found | null> {
  const webhook = await senderOf(parts, request, of);
  const delivery = webhook === null ? null : await parts.outgoing.get(id);
  return webhook !== null && delivery?.subscription === webhook.id ? { webhook, delivery } : null;
}

const listing = (parts: WebhookParts): Route =>
  route({
    ...shared,
    method: "get",
    path: "/api/webhooks/{id}/deliveries",
    operation: "listDeliveries",
    summary: "List the deliveries of a webhook",
    about: "Newest first. The id `default` lists what went to the `callback_url` of the account's jobs.",
    scope: "read",
    params: idParams,
    query: pageSchema,
    example: { params: ID },
    answers: {
      200: {
        about: "A page of deliveries.",
        schema: z.array(deliveryViewSchema),
        example: [DELIVERY_EXAMPLE],
        headers: { Link: "The next page, where there is one." },
      },
      ...UNKNOWN,
    },
    async work({ request, params, query: { limit, cursor } }) {
      const webhook = await senderOf(parts, request, params.id);
      if (webhook === null) return NO_WEBHOOK;
      const from = cursor === undefined ? {} : { cursor };
      const page = await parts.outgoing.list({ subscription: webhook.id, limit, ...from });
      const address = `${parts.public_url ?? ""}/api/webhooks/${encodeURIComponent(params.id)}/deliveries`;
      return success(200, page.deliveries.map(deliveryView), nextLink(address, { limit: String(limit) }, page.cursor));
    },
  });

const showing = (parts: WebhookParts): Route =>
  route({
    ...shared,
    method: "get",
    path: "/api/webhooks/{id}/deliveries/{delivery}",
    operation: "getDelivery",
    summary: "Look at a delivery",
    scope: "read",
    params: deliveryParams,
    example: { params: ONE },
    answers: {
      200: {
        about: "The delivery with its body.",
        schema: wholeSchema,
        example: { ...DELIVERY_EXAMPLE, body: BODY },
      },
      ...UNKNOWN,
    },
    async work({ request, params }) {
      const found = await deliveryOf(parts, request, params.delivery, params.id);
      const body = found === null ? null : await parts.outgoing.body(found.delivery.id);
      return found === null || body === null ? NO_DELIVERY : success(200, { ...deliveryView(found.delivery), body });
    },
  });

const replaying = (parts: WebhookParts): Route =>
  route({
    ...shared,
    method: "post",
    path: "/api/webhooks/{id}/deliveries/{delivery}/replay",
    operation: "replayDelivery",
    summary: "Send a delivery again",
    about: "At once, with the same id and body and another day of attempts.",
    scope: "write",
    params: deliveryParams,
    example: { params: ONE },
    answers: {
      202: { about: "It is on its way again.", schema: deliveryViewSchema, example: DELIVERY_EXAMPLE },
      409: { about: "The webhook is disabled.", codes: ["webhook_disabled"] },
      ...UNKNOWN,
    },
    async work({ request, params }) {
      const found = await deliveryOf(parts, request, params.delivery, params.id);
      if (found === null) return NO_DELIVERY;
      if (found.webhook.disabled !== null) return DISABLED;
      const again = await parts.webhooks.replay(found.delivery.id);
      const answer = again === null ? NO_DELIVERY : success(202, deliveryView(again));
      return recordedWebhook(parts.record, request, "delivery-replayed", found.webhook, answer);
    },
  });

export const deliveryRoutes = (parts: WebhookParts): readonly Route[] => [
  listing(parts),
  showing(parts),
  replaying(parts),
];
