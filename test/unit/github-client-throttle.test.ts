import { beforeEach, describe, expect, it } from "vitest";
import { BudgetSpent, Throttle, WINDOWS } from "../../src/github/client/throttle.ts";
import { KEPT_FREE, LIMITS } from "../../src/github/client/write-budget.ts";

/** A clock that jumps to whatever is waited for. */
class FakeClock {
  time = 1_000_000;
  now = (): number => this.time;
  wait = async (ms: number): Promise<void> => {
    this.time += ms;
  };
}

const MINUTE = 60_000;

describe("the pace of an installation", () => {
  let clock: FakeClock;
  let throttle: Throttle;
  /** When each call left. */
  let left: number[];
  const make = async (): Promise<void> => {
    left.push(clock.time);
  };
  beforeEach(() => {
    clock = new FakeClock();
    throttle = new Throttle(clock);
    left = [];
  });

  /** Milliseconds that the work must wait; 0: it was done. */
  const attempt = async (key: string, writes: number): Promise<number> => {
    try {
      await throttle.work(key, writes, async (reservation) => {
        for (let n = 0; n < writes; n++) await throttle.call("rest-write", make, reservation);
      });
      return 0;
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error;
      return error.after_ms;
    }
  };

  const most = (span: number): number =>
    Math.max(...left.map((from) => left.filter((at) => at >= from && at < from + span).length));

  it("lets a burst that fits leave at once", async () => {
    for (let n = 0; n < 20; n++) expect(await attempt(`job${n}`, 3)).toBe(0);
    expect(left).toHaveLength(60);
    expect(clock.time).toBe(1_000_000);
  });

  it("says what is left of each window, and nothing while GitHub asked us to keep away", async () => {
    expect(throttle.left()).toEqual(WINDOWS);
    await attempt("job", 3);
    await throttle.call("graphql-read", make);
    expect(throttle.left()).toEqual({
      writes_per_minute: LIMITS.writes_per_minute - 3,
      writes_per_hour: LIMITS.writes_per_hour - 3,
      rest_points_per_minute: LIMITS.rest_points_per_minute - 15,
      graphql_points_per_minute: LIMITS.graphql_points_per_minute - 1,
    });
    throttle.pauseUntil(clock.time + MINUTE);
    expect(Math.max(...Object.values(throttle.left()))).toBe(0);
    clock.time += 2 * MINUTE;
    expect(throttle.left()).toEqual({ ...WINDOWS, writes_per_hour: LIMITS.writes_per_hour - 3 });
  });

  it("counts where a redirect leads to as a call of its own, in the place of the one that was redirected", async () => {
    const all = Array.from({ length: LIMITS.at_once }, () =>
      throttle.call("rest-read", () => throttle.another("rest-read")),
    );
    await Promise.all(all);
    expect(throttle.left().rest_points_per_minute).toBe(LIMITS.rest_points_per_minute - 2 * LIMITS.at_once);
  });

  it("tells work beyond the budget when its turn is, before it has made one call", async () => {
    const waits = [];
    for (let n = 0; n < 60; n++) waits.push(await attempt(`job${n}`, 3));
    const done = Math.floor((LIMITS.writes_per_minute - KEPT_FREE) / 3);
    expect(waits.filter((ms) => ms === 0)).toHaveLength(done);
    expect(left).toHaveLength(done * 3);
    expect(waits[done]).toBeGreaterThanOrEqual(MINUTE);
  });

  it("serves a flood in the order in which it came, each piece once, near the published rate and never above it", async () => {
    const waiting = Array.from({ length: 200 }, (_, n) => ({ n, key: `job${n}`, at: clock.time, attempts: 0 }));
    const served: string[] = [];
    while (waiting.length > 0) {
      waiting.sort((a, b) => a.at - b.at || a.n - b.n);
      const next = waiting[0];
      if (!next) break;
      clock.time = Math.max(clock.time, next.at);
      const ms = await attempt(next.key, 3);
      next.attempts++;
      if (ms === 0) served.push(waiting.shift()?.key ?? "");
      else next.at = clock.time + ms;
      expect(next.attempts).toBeLessThanOrEqual(2);
    }
    expect(served).toEqual(Array.from({ length: 200 }, (_, n) => `job${n}`));
    expect(most(MINUTE)).toBeLessThanOrEqual(LIMITS.writes_per_minute);
    expect(most(60 * MINUTE)).toBeLessThanOrEqual(LIMITS.writes_per_hour);
    expect(most(60 * MINUTE)).toBeGreaterThanOrEqual(LIMITS.writes_per_hour * 0.9);
  });

  it("takes no write for a read, neither of REST nor of GraphQL, and one for a mutation", async () => {
    for (let n = 0; n < 300; n++) await throttle.call(n % 2 === 0 ? "graphql-read" : "rest-read", make);
    for (let n = 0; n < 25; n++) expect(await attempt(`job${n}`, 3)).toBe(0);
    for (let n = 0; n < 5; n++) await throttle.call("graphql-write", make);
    await expect(throttle.call("graphql-write", make)).rejects.toBeInstanceOf(BudgetSpent);
    await throttle.call("graphql-read", make);
  });

  it("takes the points of a write for a deletion, which creates nothing, and no write", async () => {
    await throttle.call("rest-delete", make);
    expect(throttle.left()).toEqual({ ...WINDOWS, rest_points_per_minute: LIMITS.rest_points_per_minute - 5 });
  });

  it("is short of writes once half of an hour's are used", async () => {
    for (let n = 0; n < LIMITS.writes_per_hour / 2; n++) {
      expect(throttle.isShort()).toBe(false);
      clock.time += 1_000;
      await throttle.call("rest-write", make);
    }
    await throttle.call("rest-write", make);
    expect(throttle.isShort()).toBe(true);
    clock.time += 61 * MINUTE;
    expect(throttle.isShort()).toBe(false);
  });

  it("keeps a little free for answers that belong to no effect", async () => {
    while ((await attempt(`job${left.length}`, 1)) === 0);
    await throttle.call("rest-write", make);
    await throttle.call("rest-write", make);
    await expect(throttle.call("rest-write", make)).rejects.toBeInstanceOf(BudgetSpent);
    expect(left).toHaveLength(LIMITS.writes_per_minute);
  });

  it("gives back the writes that work did not need", async () => {
    for (let n = 0; n < 200; n++) await throttle.work(`job${n}`, 3, async () => {});
    expect(await attempt("last", 3)).toBe(0);
  });

  it("does what can be done without only while half of the writes are left, and promises it nothing", async () => {
    const tell = async (): Promise<number> => {
      const before = left.length;
      await throttle.bestEffort(2, (reservation) => throttle.call("rest-write", make, reservation));
      return left.length - before;
    };
    expect(await tell()).toBe(1);
    for (let n = 0; n < LIMITS.writes_per_minute / 2 - 2; n++) await throttle.call("rest-write", make);
    expect(throttle.left().writes_per_minute).toBe(LIMITS.writes_per_minute / 2 + 1);
    // the write that it did not need was given back, and two more would leave less than half
    expect([await tell(), throttle.left().writes_per_minute]).toEqual([0, LIMITS.writes_per_minute / 2 + 1]);
    expect(await attempt("other", LIMITS.writes_per_minute / 2 - KEPT_FREE)).toBe(0);
    clock.time += 2 * MINUTE;
    expect(await tell()).toBe(1);
    throttle.pauseUntil(clock.time + 1_000);
    expect(await tell()).toBe(0);
  });

  it("counts points: a minute takes no more than 900 of REST", async () => {
    for (let n = 0; n < LIMITS.rest_points_per_minute; n++) await throttle.call("rest-read", make);
    await expect(throttle.call("rest-read", make)).rejects.toBeInstanceOf(BudgetSpent);
    clock.time += 2 * MINUTE;
    await throttle.call("rest-read", make);
  });

  it("makes no call at all while GitHub has asked it to keep away", async () => {
    throttle.pauseUntil(clock.time + 30_000);
    expect(await attempt("job", 1)).toBe(30_000);
    await expect(throttle.call("rest-read", make)).rejects.toMatchObject({ after_ms: 30_000 });
    expect(left).toEqual([]);
    clock.time += 30_000;
    expect(await attempt("job", 1)).toBe(0);
  });

  it("never has more calls under way than GitHub allows", async () => {
    let open = 0;
    let peak = 0;
    const gates: (() => void)[] = [];
    const calls = Array.from({ length: 120 }, () =>
      throttle.call("rest-read", async () => {
        peak = Math.max(peak, ++open);
        await new Promise<void>((resolve) => gates.push(resolve));
        open--;
      }),
    );
    let settled = false;
    const all = Promise.all(calls).then(() => {
      settled = true;
    });
    while (!settled) {
      for (const gate of gates.splice(0)) gate();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    expect(peak).toBe(LIMITS.at_once);
  });

  it("says how long work would wait, and promises nothing by that", async () => {
    expect(throttle.wait(3)).toBe(0);
    expect(await attempt("a", LIMITS.writes_per_minute - KEPT_FREE)).toBe(0);
    const wait = throttle.wait(3);
    expect(wait).toBeGreaterThan(MINUTE - 1);
    expect(throttle.wait(3)).toBe(wait);
    expect(await attempt("b", 3)).toBe(wait);
    throttle.pauseUntil(clock.time + 10 * MINUTE);
    expect(throttle.wait(1)).toBe(10 * MINUTE);
  });
});
