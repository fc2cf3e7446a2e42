/**
 * Keeps one installation inside GitHub's published limits (github-facts 7.7, 7.8) without spacing calls that fit.
 * An effect takes all its writes at once, or is told when its turn is and is not forgotten meanwhile: nothing is half
 * done, first come is first served, and nobody holds a place while waiting. A throttling library would queue without
 * end and cannot say how long. Knows times and counts alone: no HTTP, no job.
 */
import pLimit from "p-limit";
import { SlidingWindow } from "./sliding-window.ts";
import { LIMITS, MINUTE_MS, WriteBudget } from "./write-budget.ts";

/** The longest that a call waits in place; beyond it is refused. */
export const LONGEST_WAIT_MS = 5_000;
/** Calls that may wait for one of the {@link LIMITS.at_once} places. */
const MAX_WAITING = 1_000;
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

/** The windows that GitHub counts in, with their limits. */
export const WINDOWS = {
  writes_per_minute: LIMITS.writes_per_minute,
  writes_per_hour: LIMITS.writes_per_hour,
  rest_points_per_minute: LIMITS.rest_points_per_minute,
  graphql_points_per_minute: LIMITS.graphql_points_per_minute,
} as const;
export type Windows = Readonly<Record<keyof typeof WINDOWS, number>>;

export interface ThrottleClock {
  now(): number;
  wait(ms: number): Promise<void>;
}

/** Writes that were taken for one piece of work and not yet made. Opaque to whoever hands it on. */
export class Reservation {
  left: number;
  readonly at: number;
  constructor(count: number, at: number) {
    this.left = count;
    this.at = at;
  }
}

export interface Throttle {
  /** Makes one call when the budget allows; throws {@link BudgetSpent} when that is not soon. */
  call<T>(kind: CallKind, make: () => Promise<T>, reservation?: Reservation): Promise<T>;
  /**
   * Does work of at most this many writes; throws {@link BudgetSpent}, before it begins, when its turn is later. Handed
   * on from call to call, since a context that follows by itself costs every promise of the process.
   */
  work<T>(key: string, writes: number, work: (reservation: Reservation) => Promise<T>): Promise<T>;
  /** Does work only while half of each window of writes is left after it; else null. It is promised no turn. */
  spare<T>(writes: number, work: (reservation: Reservation) => Promise<T>): Promise<T | null>;
  /** In how many milliseconds work of this many writes could begin, as things stand. */
  wait(writes: number): number;
  /** One more call for what makes one already and keeps its place: a redirect leads to it. Throws as {@link Throttle.call} does. */
  another(kind: CallKind): Promise<void>;
  /** GitHub asked us to keep away until then: no call leaves before. */
  pauseUntil(at: number): void;
  /** What is left of each window now; nothing while GitHub asked us to keep away. */
  left(): Windows;
}

export function createThrottle(clock: ThrottleClock): Throttle {
  const writes = new WriteBudget();
  const rest = new SlidingWindow(LIMITS.rest_points_per_minute, MINUTE_MS);
  const graphql = new SlidingWindow(LIMITS.graphql_points_per_minute, MINUTE_MS);
  const places = pLimit(LIMITS.at_once);
  let paused_until = 0;

  const refusePaused = (): void => {
    const left = paused_until - clock.now();
    if (left > 0) throw new BudgetSpent(left);
  };

  const waitUntil = async (at: number): Promise<void> => {
    const ms = at - clock.now();
    if (ms > LONGEST_WAIT_MS) throw new BudgetSpent(ms);
    if (ms > 0) await clock.wait(ms);
  };

  /** A write of an effect moves its place to now, when it is made; any other takes what is free at present. */
  const takeWrite = async (reservation: Reservation | undefined): Promise<void> => {
    if (reservation && reservation.left > 0) {
      reservation.left--;
      writes.give(reservation.at, 1);
    } else await waitUntil(writes.free(clock.now()));
    writes.take(clock.now(), 1, clock.now());
  };

  const takePoints = async (window: SlidingWindow, points: number): Promise<void> => {
    const at = window.next(clock.now(), points);
    if (at - clock.now() <= LONGEST_WAIT_MS) window.take(at, points, clock.now());
    await waitUntil(at);
  };

  const spend = async <T>(reservation: Reservation, work: (reservation: Reservation) => Promise<T>): Promise<T> => {
    try {
      return await work(reservation);
    } finally {
      writes.give(reservation.at, reservation.left);
    }
  };

  const points = (kind: CallKind): Promise<void> =>
    takePoints(isGraphql(kind) ? graphql : rest, isWrite(kind) ? WRITE_POINTS : READ_POINTS);

  return {
    async call(kind, make, reservation) {
      refusePaused();
      if (places.pendingCount >= MAX_WAITING) throw new BudgetSpent(CROWDED_MS);
      if (isWrite(kind)) await takeWrite(reservation);
      return places(async () => {
        await points(kind);
        refusePaused();
        return make();
      });
    },
    async another(kind) {
      if (isWrite(kind)) await takeWrite(undefined);
      await points(kind);
      refusePaused();
    },
    async work(key, count, work) {
      refusePaused();
      const reservation = new Reservation(count, clock.now());
      const after_ms = writes.reserve(key, count, reservation.at);
      if (after_ms > 0) throw new BudgetSpent(after_ms);
      return spend(reservation, work);
    },
    async spare(count, work) {
      const now = clock.now();
      if (now < paused_until || !writes.hasToSpare(count, now)) return null;
      writes.take(now, count, now);
      return spend(new Reservation(count, now), work);
    },
    wait(count) {
      const now = clock.now();
      return Math.max(paused_until - now, writes.wait(count, now));
    },
    pauseUntil(at) {
      paused_until = Math.max(paused_until, at);
    },
    left() {
      const now = clock.now();
      const { minute, hour } = writes.left(now);
      const open = now < paused_until ? 0 : 1;
      return {
        writes_per_minute: open * minute,
        writes_per_hour: open * hour,
        rest_points_per_minute: open * rest.left(now),
        graphql_points_per_minute: open * graphql.left(now),
      };
    },
  };
}
