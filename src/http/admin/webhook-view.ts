/** Formats subscriptions and deliveries for the API, without secrets except where one is issued. */
import * as z from "zod";
import { PUBLISHED_EVENT_NAMES } from "../../domain/published-events.ts";
import { eventsWanted, FORMAT_NAMES, WEBHOOK_FORMATS } from "../../domain/webhook-format.ts";
import { type DeliveryAttempt, type StoredDelivery, TEST_EVENT } from "../../engine/ports/outgoing-deliveries.ts";
import type { StoredSubscription } from "../../engine/ports/subscriptions.ts";

const time = z.iso.datetime();

const FORMATS = FORMAT_NAMES.map((name) => `\`${name}\`: ${WEBHOOK_FORMATS[name]}`).join("; ");

/** The shape of what is sent, for requests and answers. */
export const formatSchema = z
  .enum(FORMAT_NAMES, { error: () => `must be one of ${FORMAT_NAMES.join(", ")}.` })
  .meta({ description: `The shape of what is sent. ${FORMATS}.` });

export const webhookViewSchema = z
  .object({
    id: z.string(),
    account: z.string(),
    format: formatSchema,
    url: z.string().meta({ description: "Of a chat the host alone, since the rest is a secret." }),
    events: z.array(z.enum(PUBLISHED_EVENT_NAMES)),
    repository: z.string().nullable().meta({ description: "`owner/name`; null: all of the account." }),
    created_at: time,
    enabled: z.boolean(),
    disabled_at: time.nullable(),
    disabled_reason: z.string().nullable(),
  })
  .meta({ id: "Webhook" });

export type WebhookView = z.infer<typeof webhookViewSchema>;

const iso = (at: number): string => new Date(at).toISOString();

export const webhookView = (stored: StoredSubscription): WebhookView => ({
  id: stored.id,
  account: stored.account,
  format: stored.format,
  url: stored.url ?? "",
  events: [...eventsWanted(stored)],
  repository: stored.repository,
  created_at: iso(stored.created_at),
  enabled: stored.disabled === null,
  disabled_at: stored.disabled === null ? null : iso(stored.disabled.at),
  disabled_reason: stored.disabled?.reason ?? null,
});

const attemptSchema = z.object({
  at: time,
  took_ms: z.number(),
  status: z.number().nullable().meta({ description: "As the receiver answered; null: it did not." }),
  error: z.string().nullable(),
});

export const deliveryViewSchema = z
  .object({
    id: z.string().meta({ description: "The `webhook-id`." }),
    event: z.enum([...PUBLISHED_EVENT_NAMES, TEST_EVENT]),
    job_id: z.string().nullable(),
    status: z.enum(["pending", "delivered", "dead"]),
    created_at: time,
    next_attempt_at: time.nullable(),
    attempts: z.array(attemptSchema),
    callback_host: z.string().nullable().meta({ description: "Of a job's `callback_url`; null for other deliveries." }),
  })
  .meta({ id: "Delivery" });

export const WEBHOOK_EXAMPLE = {
  ...{ id: "wh_Ab12Cd34Ef56", account: "octocat", format: "journeyman", url: "https://example.com/journeyman" },
  ...{ events: ["job.merged", "job.failed"], repository: null, created_at: "2030-01-31T12:00:00.000Z" },
  ...{ enabled: true, disabled_at: null, disabled_reason: null },
};

export const DELIVERY_EXAMPLE = {
  ...{ id: "msg_Ab12Cd34Ef56Gh78Ij90Kl12Mn3", event: TEST_EVENT, job_id: null, status: "pending" },
  ...{ created_at: "2030-01-31T12:00:00.000Z", next_attempt_at: "2030-01-31T12:00:00.000Z" },
  ...{ attempts: [], callback_host: null },
};

export type DeliveryView = z.infer<typeof deliveryViewSchema>;

const attemptView = ({ at, took_ms, status, error }: DeliveryAttempt) => ({ at: iso(at), took_ms, status, error });

export const deliveryView = (stored: StoredDelivery): DeliveryView => ({
  id: stored.id,
  event: stored.event,
  job_id: stored.job,
  status: stored.state,
  created_at: iso(stored.at),
  next_attempt_at: stored.next_at === null ? null : iso(stored.next_at),
  attempts: stored.attempts.map(attemptView),
  // an address may hold a token in its path
  callback_host: stored.url === null ? null : new URL(stored.url).host,
});
