/**
 * Sends what is recorded: each receiver in a lane of its own, all lanes in turn, within two bounds. A request that takes
 * long gives its place to others and counts as stalled, so that receivers that hang cannot hold up those that do not.
 * What becomes of a delivery is decided in `retry.ts` and kept by the store.
 */

import type { Clock } from "../engine/ports/clock.ts";
import type { Log } from "../engine/ports/log.ts";
import type { DeliveryAttempt, OutgoingStore, StoredDelivery } from "../engine/ports/outgoing-deliveries.ts";
import type { StoredSubscription, SubscriptionStore } from "../engine/ports/subscriptions.ts";
import type { Post, Posted } from "./post-request.ts";
import { ReceiverQueue } from "./receiver-queue.ts";
import { GONE, isSuccess, type Next, nextAttempt } from "./retry-schedule.ts";
import type { SigningSecrets } from "./signing.ts";
import { Timeouts } from "./timeouts.ts";
import { TimerQueue } from "./timer-queue.ts";

/** Requests at once, without those that take long. */
export const MOST_AT_ONCE = 128;
/** A request that takes longer gives its place up. */
export const SLOW_MS = 1_000;
/** Requests that take long; while there are more, receivers that failed last time wait. */
const MOST_STALLED = 1_024;
/** Lanes that are kept for what they have learned of a receiver that fails. */
const MOST_IDLE_LANES = 10_000;
/** When the store could not say what a delivery is, it is looked at again after this. */
const AFTER_FAILURE_MS = 5_000;

export interface SenderParts {
  readonly outgoing: OutgoingStore;
  readonly subscriptions: SubscriptionStore;
  readonly secrets: SigningSecrets;
  readonly post: Post;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ n < 1; spreads retries. */
  readonly random: () => number;
}

export interface Sender {
  /** What is pending from an earlier process. */
  start(): Promise<void>;
  /** Recorded just now: sent as soon as their receivers take them. */
  send(deliveries: readonly StoredDelivery[]): void;
  /** Starts nothing more and resolves when what is under way has ended. */
  stop(): Promise<void>;
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

/** A receiver is a subscription; callbacks of an account are told apart by their hosts. */
const laneOf = ({ subscription, url }: StoredDelivery): string =>
  url === null ? subscription : `${subscription} ${new URL(url).origin}`;

export function createSender(parts: SenderParts): Sender {
  const { outgoing, subscriptions, secrets, post, clock, log, random } = parts;
  const lanes = new Map<string, ReceiverQueue<StoredDelivery>>();
  /** Lanes with something to send, in turn. */
  const turns = new Set<ReceiverQueue<StoredDelivery>>();
  const patience = new Timeouts(clock, SLOW_MS);
  let under_way = 0;
  /** Told when nothing is under way any more. */
  let quiet = (): void => {};
  let brisk = 0;
  let stalled = 0;
  let stopping = false;

  const queue = (delivery: StoredDelivery): void => {
    const key = laneOf(delivery);
    const receiverQueue = lanes.get(key) ?? new ReceiverQueue<StoredDelivery>(key);
    lanes.set(key, receiverQueue);
    receiverQueue.add(delivery);
    turns.add(receiverQueue);
  };

  const timerQueue = new TimerQueue<StoredDelivery>(clock, (due) => {
    for (const delivery of due) queue(delivery);
    pump();
  });
  /** Lanes that rest, by when they go on. */
  const resting = new TimerQueue<ReceiverQueue<StoredDelivery>>(clock, (due) => {
    for (const receiverQueue of due) turns.add(receiverQueue);
    pump();
  });

  const take = (deliveries: readonly StoredDelivery[]): void => {
    const now = clock.now();
    for (const delivery of deliveries) {
      if (delivery.next_at === null) continue;
      if (delivery.next_at <= now) queue(delivery);
      else timerQueue.add(delivery, delivery.next_at);
    }
    pump();
  };

  /** One from each lane in turn, as long as there are places. */
  const pump = (): void => {
    const now = clock.now();
    for (const receiverQueue of turns) {
      if (stopping || brisk >= MOST_AT_ONCE) return;
      turns.delete(receiverQueue);
      if (receiverQueue.failing && stalled >= MOST_STALLED) {
        resting.add(receiverQueue, now + SLOW_MS);
        continue;
      }
      if (!receiverQueue.hasRoom(now)) {
        if (receiverQueue.resting_until > now && receiverQueue.waiting > 0)
          resting.add(receiverQueue, receiverQueue.resting_until);
        continue;
      }
      const delivery = receiverQueue.take();
      if (receiverQueue.hasRoom(now)) turns.add(receiverQueue);
      if (delivery === undefined) continue;
      void sendOne(delivery, receiverQueue);
    }
  };

  /** Receivers hold the time that is signed against their own clock. */
  const wall = clock.wall ?? clock.now;

  const tryOnce = async (delivery: StoredDelivery): Promise<Posted & { readonly final?: true }> => {
    const unsent = { status: null, retry_after_ms: null };
    const receiver = receiverOf(delivery, await subscriptions.get(delivery.subscription));
    if ("dead" in receiver) return { ...unsent, error: receiver.dead, final: true };
    const body = await outgoing.body(delivery.id);
    if (body === null) return { ...unsent, error: "its body is gone", final: true };
    try {
      const headers = secrets.headers(receiver.subscription, delivery.id, body, wall());
      return await post(receiver.url, headers, body);
    } catch (error) {
      log.error({ delivery: delivery.id, err: error }, "a webhook could not be signed or sent");
      return { ...unsent, error: "it could not be signed; rotate the secret" };
    }
  };

  const conclude = async (delivery: StoredDelivery, attempt: DeliveryAttempt, next: Next): Promise<void> => {
    const known = await outgoing.attempted(delivery.id, attempt, next);
    if (next.state === "pending" && known) {
      const after = await outgoing.get(delivery.id);
      if (after !== null && after.next_at !== null) timerQueue.add(after, after.next_at);
    }
    if (next.state === "dead")
      log.warn({ delivery: delivery.id, event: delivery.event, status: attempt.status }, "a webhook is given up");
    if (attempt.status !== GONE || delivery.url !== null) return;
    const reason = "The receiver answered 410 Gone.";
    await subscriptions.change(delivery.subscription, (before) => ({
      ...before,
      disabled: { at: attempt.at, reason },
    }));
  };

  const sendOne = async (delivery: StoredDelivery, receiverQueue: ReceiverQueue<StoredDelivery>): Promise<void> => {
    const at = clock.now();
    let slow = false;
    under_way += 1;
    brisk += 1;
    const cancel = patience.start(() => {
      slow = true;
      brisk -= 1;
      stalled += 1;
      receiverQueue.slow();
      pump();
    });
    let well = false;
    try {
      if (isStale(delivery, await outgoing.get(delivery.id))) {
        well = true;
        return;
      }
      const { status, error, retry_after_ms, final } = await tryOnce(delivery);
      const now = clock.now();
      well = isSuccess(status) || final === true;
      const tried = { since: delivery.since, tries: delivery.tries + 1, status, retry_after_ms, now };
      const next: Next = final ? { state: "dead", at: null } : nextAttempt({ ...tried, random: random() });
      await conclude(delivery, { at, took_ms: now - at, status, error }, next);
    } catch (error) {
      log.error({ delivery: delivery.id, err: error }, "the store failed under the sender of webhooks");
      timerQueue.add(delivery, clock.now() + AFTER_FAILURE_MS);
    } finally {
      cancel();
      under_way -= 1;
      if (slow) stalled -= 1;
      else brisk -= 1;
      receiverQueue.ended(well, !slow, clock.now());
      if (receiverQueue.idle && (!receiverQueue.failing || lanes.size > MOST_IDLE_LANES))
        lanes.delete(receiverQueue.key);
      else if (receiverQueue.waiting > 0) turns.add(receiverQueue);
      pump();
      if (under_way === 0) quiet();
    }
  };

  return {
    start: async () => take(await outgoing.pending()),
    send: take,
    async stop() {
      stopping = true;
      timerQueue.stop();
      resting.stop();
      if (under_way > 0) await new Promise<void>((resolve) => (quiet = resolve));
    },
  };
}
