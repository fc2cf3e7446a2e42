/**
 * Makes one attempt to deliver a message: signs it, sends it, and records the result and the next step, which
 * `retry-schedule.ts` decides.
 */

import type { Clock } from "../engine/ports/clock.ts";
import type { Log } from "../engine/ports/log.ts";
import type { DeliveryAttempt, OutgoingStore, StoredDelivery } from "../engine/ports/outgoing-deliveries.ts";
import type { StoredSubscription, SubscriptionStore } from "../engine/ports/subscriptions.ts";
import type { Post, Posted } from "./post-request.ts";
import { GONE, isSuccess, type Next, nextAttempt } from "./retry-schedule.ts";
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
}

type Receiver = { readonly url: string; readonly subscription: StoredSubscription } | { readonly dead: string };

function receiverOf({ url }: StoredDelivery, subscription: StoredSubscription | null): Receiver {
  if (subscription === null) return { dead: "the subscription is gone" };
  if (subscription.disabled !== null) return { dead: "the subscription is disabled" };
  const address = url ?? subscription.url;
  return address === null ? { dead: "it has no address" } : { url: address, subscription };
}

/** It was sent again by hand, or has ended, since it was queued. */
const isStale = (queued: StoredDelivery, now: StoredDelivery | null): boolean =>
  now === null || now.state !== "pending" || now.since !== queued.since || now.tries !== queued.tries;

/** Null: it has ended, or was sent again by hand, since it was queued. */
export async function attemptDelivery(parts: DeliveryParts, delivery: StoredDelivery): Promise<Tried | null> {
  const { outgoing, clock, random } = parts;
  const at = clock.now();
  if (isStale(delivery, await outgoing.get(delivery.id))) return null;
  const { status, error, retry_after_ms, final } = await send(parts, delivery);
  const now = clock.now();
  const tried = { since: delivery.since, attempts: delivery.tries + 1, status, retry_after_ms, now };
  return {
    well: isSuccess(status) || final === true,
    attempt: { at, took_ms: now - at, status, error },
    next: final ? { state: "dead", at: null } : nextAttempt({ ...tried, random: random() }),
  };
}

/** `final`: no later attempt could succeed. */
async function send(parts: DeliveryParts, delivery: StoredDelivery): Promise<Posted & { readonly final?: true }> {
  const { outgoing, subscriptions, secrets, post, clock, log } = parts;
  const unsent = { status: null, retry_after_ms: null };
  const receiver = receiverOf(delivery, await subscriptions.get(delivery.subscription));
  if ("dead" in receiver) return { ...unsent, error: receiver.dead, final: true };
  const body = await outgoing.body(delivery.id);
  if (body === null) return { ...unsent, error: "its body is gone", final: true };
  // receivers hold the time that is signed against their own clock
  const now = clock.wall?.() ?? clock.now();
  try {
    const headers = secrets.headers(receiver.subscription, delivery.id, body, now);
    return await post(receiver.url, headers, body);
  } catch (error) {
    log.error({ delivery: delivery.id, err: error }, "a webhook could not be signed or sent");
    return { ...unsent, error: "it could not be signed; rotate the secret" };
  }
}

/** Answers the delivery as it waits for its next attempt; null: there is none. */
export async function concludeAttempt(
  { outgoing, subscriptions, log }: DeliveryParts,
  delivery: StoredDelivery,
  { attempt, next }: Tried,
): Promise<StoredDelivery | null> {
  const known = await outgoing.attempted(delivery.id, attempt, next);
  const after = next.state === "pending" && known ? await outgoing.get(delivery.id) : null;
  if (next.state === "dead")
    log.warn({ delivery: delivery.id, event: delivery.event, status: attempt.status }, "a webhook is given up");
  if (attempt.status === GONE && delivery.url === null) {
    const reason = "The receiver answered 410 Gone.";
    await subscriptions.change(delivery.subscription, (before) => ({
      ...before,
      disabled: { at: attempt.at, reason },
    }));
  }
  return after;
}
