/**
 * Sends the recorded messages: one queue per receiver, all queues in turn, within two limits. A slow request gives its
 * slot to others and counts as stalled, so that hanging receivers do not delay the rest. `attempt-delivery.ts` makes a
 * single attempt.
 */

import type { StoredDelivery } from "../engine/ports/outgoing-deliveries.ts";
import { attemptDelivery, concludeAttempt, type DeliveryParts } from "./attempt-delivery.ts";
import { ReceiverQueue } from "./receiver-queue.ts";
import { Timeouts } from "./timeouts.ts";
import { TimerQueue } from "./timer-queue.ts";

/** Concurrent requests, not counting slow ones. */
export const MAX_CONCURRENT = 128;
/** A request counts as slow after this time. */
export const SLOW_MS = 1_000;
/** Slow requests; while there are more, receivers that failed last time wait. */
const MAX_STALLED = 1_024;
/** Idle queues that are kept for what they know about a failing receiver. */
const MAX_IDLE_QUEUES = 10_000;
/** Retry interval when the store cannot be read. */
const AFTER_FAILURE_MS = 5_000;

/** One queue per subscription; an account's callbacks are separated by host. */
const queueKeyOf = ({ subscription, url }: StoredDelivery): string =>
  url === null ? subscription : `${subscription} ${new URL(url).origin}`;

type Queue = ReceiverQueue<StoredDelivery>;

export class Sender {
  readonly #parts: DeliveryParts;
  readonly #queues = new Map<string, Queue>();
  /** Queues with something to send, in turn. */
  readonly #turns = new Set<Queue>();
  readonly #retries: TimerQueue<StoredDelivery>;
  /** Paused queues, by the time at which they continue. */
  readonly #resting: TimerQueue<Queue>;
  readonly #timeouts: Timeouts;
  #under_way = 0;
  /** Called when no request is in progress. */
  #quiet = (): void => {};
  #brisk = 0;
  #stalled = 0;
  #stopping = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#timeouts = new Timeouts(parts.clock, SLOW_MS);
    this.#retries = new TimerQueue(parts.clock, (due) => {
      for (const delivery of due) this.#queue(delivery);
      this.#pump();
    });
    this.#resting = new TimerQueue(parts.clock, (due) => {
      for (const receiverQueue of due) this.#turns.add(receiverQueue);
      this.#pump();
    });
  }

  /** Queues what earlier processes left pending. */
  async start(): Promise<void> {
    this.send(await this.#parts.outgoing.pending());
  }

  /** Queues newly recorded messages. */
  send(deliveries: readonly StoredDelivery[]): void {
    const now = this.#parts.clock.now();
    for (const delivery of deliveries) {
      if (delivery.next_at === null) continue;
      if (delivery.next_at <= now) this.#queue(delivery);
      else this.#retries.add(delivery, delivery.next_at);
    }
    this.#pump();
  }

  /** Starts nothing more; resolves when requests in progress have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#retries.stop();
    this.#resting.stop();
    if (this.#under_way > 0) await new Promise<void>((resolve) => (this.#quiet = resolve));
  }

  #queue(delivery: StoredDelivery): void {
    const key = queueKeyOf(delivery);
    const receiverQueue = this.#queues.get(key) ?? new ReceiverQueue<StoredDelivery>(key);
    this.#queues.set(key, receiverQueue);
    receiverQueue.add(delivery);
    this.#turns.add(receiverQueue);
  }

  /** Starts one request from each queue in turn while slots are free. */
  #pump(): void {
    const now = this.#parts.clock.now();
    for (const receiverQueue of this.#turns) {
      if (this.#stopping || this.#brisk >= MAX_CONCURRENT) return;
      this.#turns.delete(receiverQueue);
      if (receiverQueue.failing && this.#stalled >= MAX_STALLED) {
        this.#resting.add(receiverQueue, now + SLOW_MS);
        continue;
      }
      if (!receiverQueue.hasRoom(now)) {
        if (receiverQueue.resting_until > now && receiverQueue.waiting > 0)
          this.#resting.add(receiverQueue, receiverQueue.resting_until);
        continue;
      }
      const delivery = receiverQueue.take();
      if (receiverQueue.hasRoom(now)) this.#turns.add(receiverQueue);
      if (delivery !== undefined) void this.#sendOne(delivery, receiverQueue);
    }
  }

  async #sendOne(delivery: StoredDelivery, receiverQueue: Queue): Promise<void> {
    const { clock, log } = this.#parts;
    let slow = false;
    this.#under_way += 1;
    this.#brisk += 1;
    const cancel = this.#timeouts.start(() => {
      slow = true;
      this.#brisk -= 1;
      this.#stalled += 1;
      receiverQueue.slow();
      this.#pump();
    });
    let well = false;
    let busy_until: number | null = null;
    try {
      const tried = await attemptDelivery(this.#parts, delivery);
      well = tried === null || tried.well;
      busy_until = tried?.busy_until ?? null;
      const after = tried === null ? null : await concludeAttempt(this.#parts, delivery, tried);
      if (after !== null && after.next_at !== null) this.#retries.add(after, after.next_at);
    } catch (error) {
      log.error({ delivery: delivery.id, err: error }, "the store failed under the sender of webhooks");
      this.#retries.add(delivery, clock.now() + AFTER_FAILURE_MS);
    } finally {
      cancel();
      if (slow) this.#stalled -= 1;
      else this.#brisk -= 1;
      receiverQueue.ended(well, !slow, clock.now(), busy_until);
      this.#goOn(receiverQueue);
    }
  }

  /** After one of its deliveries. */
  #goOn(receiverQueue: Queue): void {
    this.#under_way -= 1;
    if (receiverQueue.idle && (!receiverQueue.failing || this.#queues.size > MAX_IDLE_QUEUES))
      this.#queues.delete(receiverQueue.key);
    else if (receiverQueue.waiting > 0) this.#turns.add(receiverQueue);
    this.#pump();
    if (this.#under_way === 0) this.#quiet();
  }
}
