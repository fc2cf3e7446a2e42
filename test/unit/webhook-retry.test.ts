import { describe, expect, it } from "vitest";
import { MAX_PER_RECEIVER, ReceiverQueue } from "../../src/webhooks/receiver-queue.ts";
import { GIVEN_UP_MS, type LastAttempt, nextAttempt } from "../../src/webhooks/retry-schedule.ts";

const NOW = 1_767_225_600_000;
const SECOND = 1_000;
const HOUR = 3_600_000;

const nextAfter = (differs: Partial<LastAttempt>) =>
  nextAttempt({
    since: NOW,
    attempts: 1,
    status: 500,
    format: "journeyman",
    retry_after_ms: null,
    now: NOW,
    random: 0,
    ...differs,
  });

describe("what becomes of a delivery", () => {
  it.each([200, 201, 204, 299])("is delivered by %i", (status) => {
    expect(nextAfter({ status })).toEqual({ state: "delivered", at: null });
  });

  it.each([null, 301, 308, 400, 404, 429, 500, 503])("is tried again after %s", (status) => {
    expect(nextAfter({ status })).toEqual({ state: "pending", at: NOW + 5 * SECOND });
  });

  it("is dead at once where the receiver says that it is gone", () => {
    expect(nextAfter({ status: 410 })).toEqual({ state: "dead", at: null });
  });

  it.each([0, 0.123_456_789, 0.5, 0.999_999])("is tried for a whole day and no longer (jitter %d)", (random) => {
    let now = NOW;
    let attempts = 0;
    const gaps: number[] = [];
    for (;;) {
      attempts += 1;
      const { state, at } = nextAfter({ now, attempts, random });
      if (at === null) {
        expect(state).toBe("dead");
        break;
      }
      gaps.push(at - now);
      now = at;
    }
    expect(now - NOW).toBeGreaterThan(GIVEN_UP_MS - 7 * HOUR);
    expect(now - NOW).toBeLessThanOrEqual(GIVEN_UP_MS);
    expect(gaps[0]).toBeLessThanOrEqual(6 * SECOND);
    expect(attempts).toBeGreaterThanOrEqual(11);
    expect(attempts).toBeLessThanOrEqual(13);
  });

  it("waits as long as a busy receiver asks for, up to six hours", () => {
    expect(nextAfter({ status: 429, retry_after_ms: 60 * SECOND }).at).toBe(NOW + 60 * SECOND);
    expect(nextAfter({ status: 503, retry_after_ms: 100 * HOUR }).at).toBe(NOW + 6 * HOUR);
    expect(nextAfter({ status: 429, retry_after_ms: SECOND }).at).toBe(NOW + 5 * SECOND);
  });

  it("does not care for Retry-After beside another status", () => {
    expect(nextAfter({ status: 500, retry_after_ms: HOUR }).at).toBe(NOW + 5 * SECOND);
  });
});

const filled = (count: number): ReceiverQueue<number> => {
  const receiverQueue = new ReceiverQueue<number>("one");
  for (let item = 0; item < count; item++) receiverQueue.add(item);
  return receiverQueue;
};

const takeAll = (receiverQueue: ReceiverQueue<number>, now: number): number[] => {
  const taken: number[] = [];
  while (receiverQueue.hasRoom(now)) {
    const item = receiverQueue.take();
    if (item !== undefined) taken.push(item);
  }
  return taken;
};

describe("the queue of a receiver", () => {
  it("begins with one request and takes one more for each that goes well, up to a bound, in order", () => {
    const receiverQueue = filled(1_000);
    const all: number[] = [];
    let under_way = 0;
    for (let round = 0; round < 10; round++) {
      const taken = takeAll(receiverQueue, NOW);
      all.push(...taken);
      under_way += taken.length;
      expect(under_way).toBeLessThanOrEqual(MAX_PER_RECEIVER);
      for (; under_way > 0; under_way--) receiverQueue.ended(true, true, NOW);
    }
    expect(all.slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect(takeAll(receiverQueue, NOW)).toHaveLength(MAX_PER_RECEIVER);
  });

  it("falls back to one when a request fails or is slow", () => {
    for (const [well, quick] of [
      [false, true],
      [true, false],
    ] as const) {
      const receiverQueue = filled(100);
      for (let round = 0; round < 5; round++)
        for (const _ of takeAll(receiverQueue, NOW)) receiverQueue.ended(true, true, NOW);
      const [last, ...others] = takeAll(receiverQueue, NOW);
      expect(last).toBeDefined();
      for (const _ of others) receiverQueue.ended(true, true, NOW);
      receiverQueue.ended(well, quick, NOW);
      expect(takeAll(receiverQueue, NOW)).toHaveLength(1);
    }
  });

  it("rests longer and longer while nothing succeeds", () => {
    const receiverQueue = filled(100);
    let now = NOW;
    const rests: number[] = [];
    for (let failure = 0; failure < 12; failure++) {
      expect(takeAll(receiverQueue, now)).toHaveLength(1);
      receiverQueue.ended(false, true, now);
      rests.push(Math.max(0, receiverQueue.resting_until - now));
      now = Math.max(now, receiverQueue.resting_until);
    }
    expect(rests.slice(0, 5)).toEqual([0, 0, 5_000, 10_000, 20_000]);
    expect(rests.at(-1)).toBe(300_000);
  });
});
