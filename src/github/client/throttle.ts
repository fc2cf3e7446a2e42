/**
 * Throttles one installation to GitHub's published rate limits (github-facts 7.7, 7.8) without delaying calls that fit.
 * An effect reserves all its writes at once or is told when to come back, first come first served, so nothing is left
 * half done. A throttling library would queue without bound and could not tell the waiting time.
 */
import pLimit from "p-limit";
import { SlidingWindow } from "./sliding-window.ts";
import { LIMITS, MINUTE_MS, WriteBudget } from "./write-budget.ts";

/** A call that would wait longer than this is refused. */
export const MAX_WAIT_MS = 5_000;
/** Calls that may wait for one of the {@link LIMITS.at_once} slots. */
const MAX_WAITING = 1_000;
/** When to retry if even the waiting list is full. */
const FULL_QUEUE_MS = 1_000;

/** The budget does not allow this now. */
export class BudgetSpent extends Error {
  readonly after_ms: number;
  constructor(after_ms: number, reason = "GitHub's rate limit is used up for now.") {
    super(reason);
    this.name = "BudgetSpent";
    this.after_ms = after_ms;
  }
}

/** A deletion creates no content, so it takes the points of a write and nothing of the write windows. */
export type CallKind = "rest-read" | "rest-write" | "rest-delete" | "graphql-read" | "graphql-write";

const READ_POINTS = 1;
const WRITE_POINTS = 5;

const isWrite = (kind: CallKind): boolean => kind === "rest-write" || kind === "graphql-write";
const isGraphql = (kind: CallKind): boolean => kind === "graphql-read" || kind === "graphql-write";

/** GitHub's rate-limit windows and their limits. */
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

/** Writes that are reserved for one piece of work and not made yet. Opaque to the caller. */
export class Reservation {
  left: number;
  readonly at: number;
  constructor(count: number, at: number) {
    this.left = count;
    this.at = at;
  }
}

export class Throttle {
  readonly #clock: ThrottleClock;
  readonly #writes = new WriteBudget();
  readonly #rest = new SlidingWindow(LIMITS.rest_points_per_minute, MINUTE_MS);
  readonly #graphql = new SlidingWindow(LIMITS.graphql_points_per_minute, MINUTE_MS);
  readonly #places = pLimit(LIMITS.at_once);
  #paused_until = 0;

  constructor(clock: ThrottleClock) {
    this.#clock = clock;
  }

  /**
   * Makes one call as soon as the budget allows; throws {@link BudgetSpent} when that takes too long. `writes`: how many
   * mutations it holds.
   */
  async call<T>(kind: CallKind, make: () => Promise<T>, reservation?: Reservation, writes = 1): Promise<T> {
    this.#refusePaused();
    if (this.#places.pendingCount >= MAX_WAITING) throw new BudgetSpent(FULL_QUEUE_MS);
    for (let n = 0; isWrite(kind) && n < writes; n++) await this.#takeWrite(reservation);
    return this.#places(async () => {
      await this.#takePoints(kind);
      this.#refusePaused();
      return make();
    });
  }

  /** One more call for what makes one already and keeps its place: a redirect leads to it. Throws as {@link call} does. */
  async another(kind: CallKind): Promise<void> {
    if (isWrite(kind)) await this.#takeWrite(undefined);
    await this.#takePoints(kind);
    this.#refusePaused();
  }

  /**
   * Runs work with up to this many writes; throws {@link BudgetSpent} before it begins if its turn is later. The
   * reservation is passed explicitly, since an async context would cost every promise of the process.
   */
  async work<T>(key: string, count: number, work: (reservation: Reservation) => Promise<T>): Promise<T> {
    this.#refusePaused();
    const reservation = new Reservation(count, this.#clock.now());
    const after_ms = this.#writes.turns.reserve(key, count, reservation.at);
    if (after_ms > 0) throw new BudgetSpent(after_ms);
    return this.#spend(reservation, work);
  }

  /**
   * Best effort: runs work only if half of each write window stays free, otherwise returns null. It gets no turn in the
   * queue.
   */
  async bestEffort<T>(count: number, work: (reservation: Reservation) => Promise<T>): Promise<T | null> {
    const now = this.#clock.now();
    if (now < this.#paused_until || !this.#writes.hasToSpare(count, now)) return null;
    this.#writes.turns.take(now, count, now);
    return this.#spend(new Reservation(count, now), work);
  }

  /** Whether less than half of the hour's writes is left. */
  isShort(): boolean {
    return this.#writes.left(this.#clock.now()).hour < LIMITS.writes_per_hour / 2;
  }

  /** Milliseconds until work with this many writes could begin. */
  wait(count: number): number {
    const now = this.#clock.now();
    return Math.max(this.#paused_until - now, this.#writes.turns.wait(count, now));
  }

  /** Stops all calls until then, as GitHub asked. */
  pauseUntil(at: number): void {
    this.#paused_until = Math.max(this.#paused_until, at);
  }

  /** The rest of each window; nothing while GitHub asked us to pause. */
  left(): Windows {
    const now = this.#clock.now();
    const { minute, hour } = this.#writes.left(now);
    const open = now < this.#paused_until ? 0 : 1;
    return {
      writes_per_minute: open * minute,
      writes_per_hour: open * hour,
      rest_points_per_minute: open * this.#rest.left(now),
      graphql_points_per_minute: open * this.#graphql.left(now),
    };
  }

  #refusePaused(): void {
    const left = this.#paused_until - this.#clock.now();
    if (left > 0) throw new BudgetSpent(left);
  }

  async #waitUntil(at: number): Promise<void> {
    const ms = at - this.#clock.now();
    if (ms > MAX_WAIT_MS) throw new BudgetSpent(ms);
    if (ms > 0) await this.#clock.wait(ms);
  }

  /** A reserved write is booked at the time when it is made; any other write uses what is free now. */
  async #takeWrite(reservation: Reservation | undefined): Promise<void> {
    if (reservation && reservation.left > 0) {
      reservation.left--;
      this.#writes.turns.give(reservation.at, 1);
    } else await this.#waitUntil(this.#writes.free(this.#clock.now()));
    this.#writes.turns.take(this.#clock.now(), 1, this.#clock.now());
  }

  async #takePoints(kind: CallKind): Promise<void> {
    const window = isGraphql(kind) ? this.#graphql : this.#rest;
    const points = isWrite(kind) || kind === "rest-delete" ? WRITE_POINTS : READ_POINTS;
    const at = window.next(this.#clock.now(), points);
    if (at - this.#clock.now() <= MAX_WAIT_MS) window.take(at, points, this.#clock.now());
    await this.#waitUntil(at);
  }

  async #spend<T>(reservation: Reservation, work: (reservation: Reservation) => Promise<T>): Promise<T> {
    try {
      return await work(reservation);
    } finally {
      this.#writes.turns.give(reservation.at, reservation.left);
    }
  }
}
