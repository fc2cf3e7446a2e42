/**
 * Makes one attempt to deliver a message: signs it, sends it, and records the result and the next step, which
 * `retry-schedule.ts` decides.
 */

import { isChat, type WebhookFormat } from "../domain/webhook-format.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { Log } from "../engine/ports/log.ts";
import type { DeliveryAttempt, OutgoingStore, StoredDelivery } from "../engine/ports/outgoing-deliveries.ts";
import type { StoredSubscription, SubscriptionStore } from "../engine/ports/subscriptions.ts";
import { changeSubscription } from "../engine/ports/subscriptions.ts";
import type { Post, Posted } from "./post-request.ts";
import { busyUntil, isGone, isSuccess, type Next, nextAttempt } from "./retry-schedule.ts";
import type { SigningSecrets } from "./signing.ts";

export interface DeliveryParts {
  readonly outgoing: OutgoingStore;
  readonly subscriptions: SubscriptionStore;
  readonly secrets: SigningSecrets;
  readonly post: Post;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ n < 1; spreads retries. */
  readonly random: () => number;
}

interface Tried {
  /** Nothing is wrong with the receiver. */
  readonly well: boolean;
  readonly attempt: DeliveryAttempt;
  readonly next: Next;
  /** The receiver takes nothing before. */
  readonly busy_until: number | null;
  /** Why the subscription is to be disabled; null: it is not. */
  readonly disabling: string | null;
}

type Receiver = { readonly subscription: StoredSubscription } | { readonly dead: string };

function receiverOf({ url }: StoredDelivery, subscription: StoredSubscription | null): Receiver {
  if (subscription === null) return { dead: "the subscription is gone" };
  if (subscription.disabled !== null) return { dead: "the subscription is disabled" };
  return (url ?? subscription.url) === null ? { dead: "it has no address" } : { subscription };
}

const goneSentence = (status: number | null, format: WebhookFormat): string =>
  isChat(format)
    ? `The chat answered ${status}: its webhook or channel was removed. Make another there, and PATCH its address as url with "enabled": true.`
    : `The receiver answered ${status} Gone.`;

/** It was sent again by hand, or has ended, since it was queued. */
const isStale = (queued: StoredDelivery, now: StoredDelivery | null): boolean =>
  now === null || now.state !== "pending" || now.since !== queued.since || now.tries !== queued.tries;

/** Null: it has ended, or was sent again by hand, since it was queued. */
export async function attemptDelivery(parts: DeliveryParts, delivery: StoredDelivery): Promise<Tried | null> {
  const { outgoing, clock, random } = parts;
  const at = clock.now();
  if (isStale(delivery, await outgoing.get(delivery.id))) return null;
  const { status, error, retry_after_ms, format, final } = await send(parts, delivery);
  const now = clock.now();
  const tried = { since: delivery.since, attempts: delivery.tries + 1, status, format, retry_after_ms, now };
  return {
    well: isSuccess(status) || final === true,
    attempt: { at, took_ms: now - at, status, error },
    next: final ? { state: "dead", at: null } : nextAttempt({ ...tried, random: random() }),
    busy_until: busyUntil(tried),
    disabling: delivery.url === null && isGone(status, format) ? goneSentence(status, format) : null,
  };
}

interface Sent extends Posted {
  readonly format: WebhookFormat;
  /** No later attempt could succeed. */
  readonly final?: true;
}

async function send(parts: DeliveryParts, delivery: StoredDelivery): Promise<Sent> {
  const { outgoing, subscriptions, secrets, post, clock, log } = parts;
  const unsent = { status: null, retry_after_ms: null, format: "journeyman" } as const;
  const receiver = receiverOf(delivery, await subscriptions.get(delivery.subscription));
  if ("dead" in receiver) return { ...unsent, error: receiver.dead, final: true };
  const { subscription } = receiver;
  const body = await outgoing.body(delivery.id);
  if (body === null) return { ...unsent, error: "its body is gone", final: true };
  // receivers hold the time that is signed against their own clock
  const now = clock.wall?.() ?? clock.now();
  try {
    const headers = secrets.headers(subscription, delivery.id, body, now);
    const posted = await post(delivery.url ?? secrets.address(subscription), headers, body);
    return { ...posted, format: subscription.format };
  } catch (error) {
    log.error({ delivery: delivery.id, err: error }, "a webhook could not be signed or sent");
    const again = isChat(subscription.format) ? "rotate the secret and give the url again" : "rotate the secret";
    return { ...unsent, error: `it could not be signed; ${again}` };
  }
}

/** Answers the delivery as it waits for its next attempt; null: there is none. */
export async function concludeAttempt(
  { outgoing, subscriptions, log }: DeliveryParts,
  delivery: StoredDelivery,
  { attempt, next, disabling }: Tried,
): Promise<StoredDelivery | null> {
  const known = await outgoing.attempted(delivery.id, attempt, next);
  const after = next.state === "pending" && known ? await outgoing.get(delivery.id) : null;
  if (next.state === "dead")
    log.warn({ delivery: delivery.id, event: delivery.event, status: attempt.status }, "a webhook is given up");
  if (disabling !== null)
    await changeSubscription(subscriptions, delivery.subscription, (before) => ({
      ...before,
      disabled: { at: attempt.at, reason: disabling },
    }));
  return after;
}
