/** The shapes in which a webhook sends events, and which events each sends unless its subscription names some. */
import { EVENT_SENTENCES } from "./job/event-sentences.ts";
import { EVENT_NAMES, type EventName } from "./job/job-events.ts";

/** What each is; the API's description says it in these words. */
export const WEBHOOK_FORMATS = {
  journeyman: "the event with its job, signed as Standard Webhooks says",
  slack: "a message for an incoming webhook of Slack",
  discord: "a message for a webhook of Discord",
  teams: "an Adaptive Card for a workflow of Microsoft Teams",
} as const;

export type WebhookFormat = keyof typeof WEBHOOK_FORMATS;
export type ChatFormat = Exclude<WebhookFormat, "journeyman">;

export const FORMAT_NAMES = Object.keys(WEBHOOK_FORMATS) as readonly WebhookFormat[];

export const isChat = (format: WebhookFormat): format is ChatFormat => format !== "journeyman";

/** What a person waits for, or has to act on. */
export const CHAT_EVENTS: readonly EventName[] = EVENT_NAMES.filter((event) => EVENT_SENTENCES[event].by_default);

export const eventsWanted = (subscription: {
  readonly events: readonly EventName[] | null;
  readonly format: WebhookFormat;
}): readonly EventName[] => subscription.events ?? (isChat(subscription.format) ? CHAT_EVENTS : EVENT_NAMES);
