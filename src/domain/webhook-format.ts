/** The shapes in which a webhook sends events, and which events each sends unless its subscription names some. */
import { CHAT_EVENTS, PUBLISHED_EVENT_NAMES, type PublishedEventName } from "./published-events.ts";

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

export const eventsWanted = (subscription: {
  readonly events: readonly PublishedEventName[] | null;
  readonly format: WebhookFormat;
}): readonly PublishedEventName[] =>
  subscription.events ?? (isChat(subscription.format) ? CHAT_EVENTS : PUBLISHED_EVENT_NAMES);
