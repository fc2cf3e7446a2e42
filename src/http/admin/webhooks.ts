/**
 * `/api/webhooks`: subscriptions to events of jobs. Secrets are shown once, when created, so none of these routes
 * accepts an `Idempotency-Key`.
 */

import * as z from "zod";
import { canReachSubscription, isAdmin } from "../../domain/access.ts";
import { CHAT_EVENTS, PUBLISHED_EVENT_NAMES } from "../../domain/published-events.ts";
import { changeSubscription } from "../../engine/ports/subscriptions.ts";
import { boundTo } from "../dialects/which-repository.ts";
import { recordedWebhook } from "../middleware/audited.ts";
import { principalOf } from "../middleware/auth.ts";
import { failure, success } from "../routing/answer.ts";
import { type Route, route } from "../routing/route.ts";
import { repositoryField } from "./new-key.ts";
import {
  DEFAULT,
  DISABLED,
  idParams,
  NO_STORE,
  NO_WEBHOOK,
  repositoryIdOf,
  type WebhookParts,
  webhookOf,
} from "./webhook-access.ts";
import { targetField } from "./webhook-target.ts";
import {
  DELIVERY_EXAMPLE,
  deliveryView,
  deliveryViewSchema,
  formatSchema,
  WEBHOOK_EXAMPLE,
  webhookView,
  webhookViewSchema,
} from "./webhook-view.ts";

const says = (message: string) => ({ error: () => message });

const EVENTS_SENTENCE = `must be a list of ${PUBLISHED_EVENT_NAMES.join(", ")}.`;
const eventsField = z
  .array(z.enum(PUBLISHED_EVENT_NAMES, says(EVENTS_SENTENCE)), says(EVENTS_SENTENCE))
  .min(1, says("must name at least one event."))
  .transform((events) => [...new Set(events)])
  .nullable()
  .meta({ description: `Null: all of them; for chats ${CHAT_EVENTS.join(", ")}.` });

const issuedSchema = webhookViewSchema
  .extend({ secret: z.string().meta({ description: "Signs what is sent; shown this once." }) })
  .meta({ id: "NewWebhook" });
const secretSchema = z.object({ secret: z.string() }).meta({ id: "WebhookSecret" });
const SECRET = { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=" };

const shared = { group: "webhooks" } as const;
const UNKNOWN = { 404: { about: "No such webhook, or not one that this key may see.", codes: ["not_found"] } } as const;
const BOUND = { 403: { about: "The key is bound to another repository.", codes: ["forbidden"] } } as const;
const RESTS = { 409: { about: "The webhook is disabled.", codes: ["webhook_disabled"] } } as const;
const ID = { id: "wh_Ab12Cd34Ef56" };
const OTHER_ADDRESS = failure(
  400,
  "invalid_field",
  "format: changes only together with url, since each chat has an address of its own.",
);
const FULL = failure(409, "too_many_webhooks", "This account has 100 webhooks; delete one that is not needed first.");

const creating = (parts: WebhookParts): Route =>
  route({
    ...shared,
    method: "post",
    path: "/api/webhooks",
    operation: "createWebhook",
    summary: "Subscribe to events of jobs",
    about: "One event for each transition of the account's jobs, signed as Standard Webhooks says, or told to a chat.",
    scope: "write",
    body: z.strictObject({
      url: targetField(parts.webhooks),
      format: formatSchema.default("journeyman"),
      events: eventsField.default(null),
      repository: repositoryField.nullish().transform((value) => value ?? null),
    }),
    example: { body: { url: "https://example.com/journeyman", events: ["job.merged", "job.failed"] } },
    answers: {
      201: { about: "Events go there from now on.", schema: issuedSchema, example: { ...WEBHOOK_EXAMPLE, ...SECRET } },
      ...BOUND,
      409: { about: "The account has as many as it may.", codes: ["too_many_webhooks"] },
    },
    async work({ request, body: { url, format, events, repository } }) {
      const mistake = parts.webhooks.validateFormat(url, format);
      if (mistake !== null) return failure(400, "invalid_field", mistake);
      const principal = principalOf(request);
      const bound = boundTo(principal, repository);
      if ("answer" in bound) return bound.answer;
      const repository_id = await repositoryIdOf(parts, bound.value);
      const asked = { account: principal.account, format, url, events, repository: bound.value, repository_id };
      const issued = await parts.webhooks.subscribe(asked);
      if (issued === null) return FULL;
      const { subscription, secret } = issued;
      const answer = success(201, { ...webhookView(subscription), secret: secret.reveal() }, NO_STORE);
      return recordedWebhook(parts.record, request, "webhook-created", subscription, answer);
    },
  });

const reading = (parts: WebhookParts): Route[] => [
  route({
    ...shared,
    method: "get",
    path: "/api/webhooks",
    operation: "listWebhooks",
    summary: "List the webhooks",
    scope: "read",
    answers: {
      200: {
        about: "Oldest first, without their secrets.",
        schema: z.array(webhookViewSchema),
        example: [WEBHOOK_EXAMPLE],
      },
    },
    async work({ request }) {
      const principal = principalOf(request);
      const all = await parts.subscriptions.list(isAdmin(principal) ? undefined : principal.account);
      return success(200, all.filter((one) => canReachSubscription(principal, one)).map(webhookView));
    },
  }),
  route({
    ...shared,
    method: "get",
    path: "/api/webhooks/{id}",
    operation: "getWebhook",
    summary: "Look at a webhook",
    scope: "read",
    params: idParams,
    example: { params: ID },
    answers: {
      200: { about: "The webhook, without its secret.", schema: webhookViewSchema, example: WEBHOOK_EXAMPLE },
      ...UNKNOWN,
    },
    async work({ request, params }) {
      const found = await webhookOf(parts, request, params.id);
      return found === null ? NO_WEBHOOK : success(200, webhookView(found));
    },
  }),
];

const changing = (parts: WebhookParts): Route[] => [
  route({
    ...shared,
    method: "patch",
    path: "/api/webhooks/{id}",
    operation: "changeWebhook",
    summary: "Change a webhook",
    about: "What is left out stays. `enabled` puts it to rest and takes it up again; one that answered 410 rests.",
    scope: "write",
    params: idParams,
    body: z.strictObject({
      url: targetField(parts.webhooks).optional(),
      format: formatSchema.optional(),
      events: eventsField.optional(),
      repository: repositoryField.nullable().optional(),
      enabled: z.boolean(says("must be true or false.")).optional(),
    }),
    example: { params: ID, body: { events: ["job.merged"], enabled: true } },
    answers: {
      200: { about: "As it is now.", schema: webhookViewSchema, example: WEBHOOK_EXAMPLE },
      ...BOUND,
      ...UNKNOWN,
    },
    async work({ request, params, body: { url, format, events, repository, enabled } }) {
      const found = await webhookOf(parts, request, params.id);
      if (found === null) return NO_WEBHOOK;
      const shape = format ?? found.format;
      if (url === undefined && shape !== found.format) return OTHER_ADDRESS;
      const mistake = url === undefined ? null : parts.webhooks.validateFormat(url, shape);
      if (mistake !== null) return failure(400, "invalid_field", mistake);
      const bound = repository === undefined ? { value: found.repository } : boundTo(principalOf(request), repository);
      if ("answer" in bound) return bound.answer;
      const repository_id = repository === undefined ? found.repository_id : await repositoryIdOf(parts, bound.value);
      const rest = { at: parts.now(), reason: "It was disabled over the API." };
      const changed = await changeSubscription(parts.subscriptions, found.id, (before) => ({
        ...before,
        ...(url === undefined ? {} : parts.webhooks.sealed(before.id, shape, url)),
        events: events === undefined ? before.events : events,
        ...(repository === undefined ? {} : { repository: bound.value, repository_id }),
        disabled: enabled === undefined ? before.disabled : enabled ? null : (before.disabled ?? rest),
      }));
      const answer = changed === null ? NO_WEBHOOK : success(200, webhookView(changed));
      return recordedWebhook(parts.record, request, "webhook-changed", found, answer);
    },
  }),
  route({
    ...shared,
    method: "delete",
    path: "/api/webhooks/{id}",
    operation: "deleteWebhook",
    summary: "Delete a webhook",
    about: "What is still to be sent to it is not sent any more.",
    scope: "write",
    params: idParams,
    example: { params: ID },
    answers: { 204: { about: "It is gone." }, ...UNKNOWN },
    async work({ request, params }) {
      const found = await webhookOf(parts, request, params.id);
      if (found === null) return NO_WEBHOOK;
      const answer = (await parts.subscriptions.remove(found.id)) ? { status: 204 } : NO_WEBHOOK;
      return recordedWebhook(parts.record, request, "webhook-deleted", found, answer);
    },
  }),
];

const ownSecret = (parts: WebhookParts): Route[] => [
  route({
    ...shared,
    method: "get",
    path: `/api/webhooks/${DEFAULT}/secret`,
    operation: "getDefaultSecret",
    summary: "The secret of callbacks",
    about: "Signs what is sent to the `callback_url` of the account's jobs: one for all, made when it is first needed.",
    // who has it can sign in our name
    scope: "write",
    answers: { 200: { about: "The secret.", schema: secretSchema, example: SECRET } },
    async work({ request }) {
      const { secret } = await parts.webhooks.ownOf(principalOf(request).account);
      return success(200, { secret: secret.reveal() }, NO_STORE);
    },
  }),
  route({
    ...shared,
    method: "post",
    path: `/api/webhooks/${DEFAULT}/rotate`,
    operation: "rotateDefaultSecret",
    summary: "Rotate the secret of callbacks",
    about: "The old one signs beside the new one for 24 hours.",
    scope: "write",
    answers: { 200: { about: "The new secret.", schema: secretSchema, example: SECRET }, ...UNKNOWN },
    async work({ request }) {
      const { subscription } = await parts.webhooks.ownOf(principalOf(request).account);
      const issued = await parts.webhooks.rotate(subscription.id);
      const answer = issued === null ? NO_WEBHOOK : success(200, { secret: issued.secret.reveal() }, NO_STORE);
      return recordedWebhook(parts.record, request, "webhook-rotated", subscription, answer);
    },
  }),
];

const signing = (parts: WebhookParts): Route[] => [
  route({
    ...shared,
    method: "post",
    path: "/api/webhooks/{id}/rotate",
    operation: "rotateWebhookSecret",
    summary: "Rotate a webhook's secret",
    about: "The old one signs beside the new one for 24 hours.",
    scope: "write",
    params: idParams,
    example: { params: ID },
    answers: {
      200: {
        about: "The webhook with its new secret.",
        schema: issuedSchema,
        example: { ...WEBHOOK_EXAMPLE, ...SECRET },
      },
      ...UNKNOWN,
    },
    async work({ request, params }) {
      const found = await webhookOf(parts, request, params.id);
      const issued = found === null ? null : await parts.webhooks.rotate(found.id);
      if (issued === null) return NO_WEBHOOK;
      const { subscription, secret } = issued;
      const answer = success(200, { ...webhookView(subscription), secret: secret.reveal() }, NO_STORE);
      return recordedWebhook(parts.record, request, "webhook-rotated", subscription, answer);
    },
  }),
  route({
    ...shared,
    method: "post",
    path: "/api/webhooks/{id}/test",
    operation: "testWebhook",
    summary: "Send a test event",
    about: "`webhook.test`, sent at once on the same way as all others; its delivery says how it went.",
    scope: "write",
    params: idParams,
    example: { params: ID },
    answers: {
      202: { about: "It is on its way.", schema: deliveryViewSchema, example: DELIVERY_EXAMPLE },
      ...RESTS,
      ...UNKNOWN,
    },
    async work({ request, params }) {
      const found = await webhookOf(parts, request, params.id);
      if (found === null) return NO_WEBHOOK;
      const answer = found.disabled === null ? success(202, deliveryView(await parts.webhooks.test(found))) : DISABLED;
      return recordedWebhook(parts.record, request, "webhook-tested", found, answer);
    },
  }),
];

export const webhookRoutes = (parts: WebhookParts): readonly Route[] => [
  creating(parts),
  ...reading(parts),
  ...changing(parts),
  ...ownSecret(parts),
  ...signing(parts),
];
