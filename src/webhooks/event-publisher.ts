/**
 * Publishes events: finds the subscribers of each who may hear of it, writes its body in each one's format, and records a
 * delivery for each.
 */

import { hash } from "node:crypto";
import { accountOfRepository } from "../domain/job/account.ts";
import { fullName, type Job, type Repository } from "../domain/job/job.ts";
import type { PublishedEvent, PublishedEventName } from "../domain/published-events.ts";
import { marksOf, type RepositoryEvent } from "../domain/repository/events.ts";
import { isChat, type WebhookFormat } from "../domain/webhook-format.ts";
import type { Recorder } from "../engine/ports/audit.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { NewDelivery, OutgoingStore } from "../engine/ports/outgoing-deliveries.ts";
import type { Later } from "../engine/ports/performer.ts";
import type { StoredSubscription, SubscriptionStore } from "../engine/ports/subscriptions.ts";
import { changeSubscription } from "../engine/ports/subscriptions.ts";
import type { EventPublisher, MayHear, Webhooks } from "../engine/ports/webhooks.ts";
import { chatBody } from "./chat-message.ts";
import { jobNotice, type Notice, repositoryNotice } from "./notice.ts";
import type { Sender } from "./sender.ts";

const ID_BYTES = 20;

/** The same for the same event and subscriber, so that recording is idempotent. */
export const deliveryId = (...of: readonly (string | number)[]): string =>
  `msg_${hash("sha256", JSON.stringify(of), "buffer").subarray(0, ID_BYTES).toString("base64url")}`;

/** The bodies of one event, each made once however many take it. */
function bodies(event: PublishedEvent, noticeOf: () => Notice): (format: WebhookFormat) => string {
  const made = new Map<WebhookFormat, string>();
  return (format) => {
    const body = made.get(format) ?? (isChat(format) ? chatBody(format, noticeOf()) : JSON.stringify(event));
    made.set(format, body);
    return body;
  };
}

const NOBODY: MayHear = async () => false;
const UNSURE: Later = { ended: "later", reason: "GitHub did not say who may hear of it" };

export interface EventPublisherParts {
  readonly subscriptions: SubscriptionStore;
  readonly outgoing: OutgoingStore;
  readonly clock: Clock;
  readonly record: Recorder;
  readonly web_url: string;
  readonly webhooks: Pick<Webhooks, "ownOf">;
  readonly sender: Pick<Sender, "send">;
}

/** A subscription to a repository follows its number from the first event on, and is shown under the current name. */
async function follow(
  { subscriptions, record }: EventPublisherParts,
  tied: StoredSubscription,
  job: Job,
): Promise<void> {
  const { id, repository, repository_id } = tied;
  const { id: number } = job.repository;
  const name = fullName(job.repository);
  if (repository === null || number === undefined || (repository_id === number && repository === name)) return;
  await changeSubscription(subscriptions, id, (before) => ({ ...before, repository: name, repository_id: number }));
  if (repository_id !== null) return;
  const target = { type: "subscription", id } as const;
  record({ account: job.account, login: null }, { action: "webhook-tied", target, repository: name, outcome: "done" });
}

/** Subscribers to an event; null: GitHub has to say first who may hear of it, and does not. */
async function hearing(
  { subscriptions }: EventPublisherParts,
  of: { readonly account: string; readonly repository: Repository },
  event: PublishedEventName,
  mayHear: MayHear,
): Promise<readonly StoredSubscription[] | null> {
  const told: StoredSubscription[] = [];
  for (const one of await subscriptions.matching(of.account, of.repository, event)) {
    const may = one.account === of.account || (await mayHear(one.account, of.repository));
    if (may === null) return null;
    if (may) told.push(one);
  }
  return told;
}

export function createEventPublisher(parts: EventPublisherParts): EventPublisher {
  const { outgoing, clock, web_url, webhooks, sender } = parts;

  const recorded = async (deliveries: readonly NewDelivery[]): Promise<{ readonly ended: "done" }> => {
    sender.send(await outgoing.record(deliveries));
    return { ended: "done" };
  };

  const publish = async (
    event: RepositoryEvent,
    of: { readonly account: string; readonly repository: Repository },
    marks: readonly string[],
    mayHear: MayHear,
  ): Promise<{ readonly ended: "done" } | Later> => {
    const { type } = event;
    const subscribers = await hearing(parts, of, type, mayHear);
    if (subscribers === null) return UNSURE;
    const bodyIn = bodies(event, () => repositoryNotice(event, web_url));
    return recorded(
      subscribers.map(({ id: subscription, format }) => ({
        ...{ subscription, url: null, event: type, job: null, at: clock.now(), body: bodyIn(format) },
        id: deliveryId(of.account, type, ...marks, subscription),
      })),
    );
  };

  return {
    async perform({ announcement: { version, events } }, job, _again, mayHear = NOBODY) {
      const deliveries: NewDelivery[] = [];
      const own = job.callback_url === null ? null : await webhooks.ownOf(job.account);
      for (const [index, event] of events.entries()) {
        const subscribers = await hearing(parts, job, event.type, mayHear);
        if (subscribers === null) return UNSURE;
        for (const subscriber of subscribers) await follow(parts, subscriber, job);
        const bodyIn = bodies(event, () => jobNotice(event, job, web_url));
        const told = subscribers.map(({ id, format }) => ({
          ...{ subscription: id, url: null as string | null, body: bodyIn(format) },
        }));
        if (own !== null)
          told.push({ subscription: own.subscription.id, url: job.callback_url, body: bodyIn("journeyman") });
        const shared = { event: event.type, job: job.id, at: clock.now() };
        for (const one of told)
          deliveries.push({ ...shared, ...one, id: deliveryId(job.id, version, index, one.subscription) });
      }
      return recorded(deliveries);
    },
    publish: (event, { id, owner, name, installation_id }, mayHear) =>
      publish(
        event,
        { account: accountOfRepository(id), repository: { id, owner, name, installation_id } },
        marksOf(event),
        mayHear,
      ),
    publishToAccount: (event, { once, ...of }, mayHear) => publish(event, of, [event.data.subject, once], mayHear),
  };
}
