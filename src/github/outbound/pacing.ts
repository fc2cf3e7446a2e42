/**
 * Keeps one installation inside GitHub's published limits (github-facts 7.7, 7.8) without spacing calls that fit.
 * An effect takes all its writes at once, or is told when its turn is and is not forgotten meanwhile: nothing is half
 * done, first come is first served, and nobody holds a place while waiting. A throttling library would queue without
 * end and cannot say how long. Knows times and counts alone: no HTTP, no job.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import pLimit from "p-limit";
import { SlidingWindow } from "./sliding-window.ts";

/** GitHub counts when a call arrives, we when it leaves: the windows are longer than GitHub's by what lies between. */
const SLACK_MS = 2_000;
const MINUTE_MS = 60_000 + SLACK_MS;
const HOUR_MS = 3_600_000 + SLACK_MS;

/** What one installation may spend. */
export const LIMITS = {
  writes_per_minute: 80,
  writes_per_hour: 500,
  rest_points_per_minute: 900,
  graphql_points_per_minute: 2_000,
  /** GitHub allows 100 for everything under one App and address. */
  at_once: 50,
} as const;

/** Writes of each window that effects leave to direct answers, which belong to no effect. */
export const KEPT_FREE = 2;
/** The longest that a call waits in place; beyond it is refused. */
export const LONGEST_WAIT_MS = 5_000;
/** Calls that may wait for one of the {@link LIMITS.at_once} places. */
const MAX_WAITING = 1_000;
/** Effects whose turn is remembered, and for how long after it they may still come. */
const MAX_PROMISES = 10_000;
const PROMISE_KEPT_MS = 60_000;
/** How long a call should stay away when there was no place even to wait. */
const CROWDED_MS = 1_000;

/** The budget does not allow this now. */
export class BudgetSpent extends Error {
  readonly after_ms: number;
  constructor(after_ms: number) {
    super("The installation's budget of GitHub calls is spent for now.");
    this.name = "BudgetSpent";
    this.after_ms = after_ms;
  }
}

export type CallKind = "rest-read" | "rest-write" | "graphql-read" | "graphql-write";

const READ_POINTS = 1;
const WRITE_POINTS = 5;

const isWrite = (kind: CallKind): boolean => kind === "rest-write" || kind === "graphql-write";
const isGraphql = (kind: CallKind): boolean => kind === "graphql-read" || kind === "graphql-write";

export interface PaceClock {
  now(): number;
  wait(ms: number): Promise<void>;
}

export interface Pace {
  /** Makes one call when the budget allows; throws {@link BudgetSpent} when that is not soon. */
  call<T>(kind: CallKind, make: () => Promise<T>): Promise<T>;
  /** Does work of at most this many writes; throws {@link BudgetSpent}, before it begins, when its turn is later. */
  work<T>(key: string, writes: number, work: () => Promise<T>): Promise<T>;
  /** GitHub asked us to keep away until then: no call leaves before. */
  pauseUntil(at: number): void;
}

/** Writes that were taken for the work under way and not yet made. */
interface Lease {
  left: number;
  readonly at: number;
}

export function createPace(clock: PaceClock): Pace {
  const minute = new SlidingWindow(LIMITS.writes_per_minute, MINUTE_MS);
  const hour = new SlidingWindow(LIMITS.writes_per_hour, HOUR_MS);
  const rest = new SlidingWindow(LIMITS.rest_points_per_minute, MINUTE_MS);
  const graphql = new SlidingWindow(LIMITS.graphql_points_per_minute, MINUTE_MS);
  const places = pLimit(LIMITS.at_once);
  const leases = new AsyncLocalStorage<Lease>();
  const promises = new Map<string, { readonly at: number; readonly writes: number }>();
  let paused_until = 0;

  const takeWrites = (at: number, count: number): void => {
    minute.take(at, count, clock.now());
    hour.take(at, count, clock.now());
  };
  const giveBack = (at: number, count: number): void => {
    minute.give(at, count);
    hour.give(at, count);
  };

  const refusePaused = (): void => {
    const left = paused_until - clock.now();
    if (left > 0) throw new BudgetSpent(left);
  };

  const waitFor = async (at: number): Promise<void> => {
    const ms = at - clock.now();
    if (ms > LONGEST_WAIT_MS) throw new BudgetSpent(ms);
    if (ms > 0) await clock.wait(ms);
  };

  /** A write of an effect moves its place to now, when it is made; any other takes what is free at present. */
  const takeWrite = async (): Promise<void> => {
    const lease = leases.getStore();
    if (lease && lease.left > 0) {
      lease.left--;
      giveBack(lease.at, 1);
    } else {
      const now = clock.now();
      await waitFor(Math.max(minute.free(now, 1), hour.free(now, 1)));
    }
    takeWrites(clock.now(), 1);
  };

  const takePoints = async (window: SlidingWindow, points: number): Promise<void> => {
    const at = window.next(clock.now(), points);
    if (at - clock.now() <= LONGEST_WAIT_MS) window.take(at, points, clock.now());
    await waitFor(at);
  };

  /** When this work has its turn: a promise once given is kept. */
  const turnOf = (key: string, writes: number): number => {
    const now = clock.now();
    for (const [name, { at }] of promises) if (at + PROMISE_KEPT_MS < now) promises.delete(name);
    const promise = promises.get(key);
    if (promise) return promise.at;
    const from = Math.max(now, paused_until);
    const at = Math.max(minute.next(from, writes + KEPT_FREE), hour.next(from, writes + KEPT_FREE));
    if (at <= now) return now;
    if (promises.size >= MAX_PROMISES) throw new BudgetSpent(at - now);
    promises.set(key, { at, writes });
    takeWrites(at, writes);
    return at;
  };

  return {
    async call(kind, make) {
      refusePaused();
      if (places.pendingCount >= MAX_WAITING) throw new BudgetSpent(CROWDED_MS);
      if (isWrite(kind)) await takeWrite();
      return places(async () => {
        await takePoints(isGraphql(kind) ? graphql : rest, isWrite(kind) ? WRITE_POINTS : READ_POINTS);
        refusePaused();
        return make();
      });
    },
    async work(key, writes, work) {
      refusePaused();
      const now = clock.now();
      const at = turnOf(key, writes);
      if (at > now) throw new BudgetSpent(at - now);
      const promise = promises.get(key);
      if (promise) {
        promises.delete(key);
        giveBack(promise.at, promise.writes);
      }
      takeWrites(now, writes);
      const lease: Lease = { left: writes, at: now };
      try {
        return await leases.run(lease, work);
      } finally {
        giveBack(lease.at, lease.left);
      }
    },
    pauseUntil(at) {
      paused_until = Math.max(paused_until, at);
    },
  };
}
