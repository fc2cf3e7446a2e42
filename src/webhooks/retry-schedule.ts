/** What becomes of a delivery after a try: delivered, dead, or when it is tried again. Pure. */
import type { DeliveryState } from "../engine/ports/outgoing-deliveries.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Between one try and the next; the last goes on until the end. */
const DELAYS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR];
const LAST_DELAY = 6 * HOUR;
/** A delivery that was not taken by then is dead. */
export const GIVEN_UP_MS = 24 * HOUR;
/** A last try that close to the one before would tell nothing new. */
const LEAST_GAP = 5 * MINUTE;
/** A receiver's own word on how long to wait is believed up to this. */
const LONGEST_ASKED = 6 * HOUR;
/** Each delay is up to this part longer, so that what failed together is not tried together. */
const JITTER = 0.2;

/** Gone for good, as the receiver says. */
export const GONE = 410;
/** Answers whose `Retry-After` means something. */
const BUSY: ReadonlySet<number | null> = new Set([429, 503]);

export interface Tried {
  /** When this round of tries began. */
  readonly since: number;
  /** Tries of this round, the last one included. */
  readonly tries: number;
  readonly status: number | null;
  readonly retry_after_ms: number | null;
  readonly now: number;
  /** 0 ≤ n < 1. */
  readonly random: number;
}

export interface Next {
  readonly state: DeliveryState;
  /** Null: it is not tried again. */
  readonly at: number | null;
}

export const isSuccess = (status: number | null): boolean => status !== null && status >= 200 && status < 300;

export function nextAttempt({ since, tries, status, retry_after_ms, now, random }: Tried): Next {
  if (isSuccess(status)) return { state: "delivered", at: null };
  const end = since + GIVEN_UP_MS;
  if (status === GONE || now >= end) return { state: "dead", at: null };
  const asked = BUSY.has(status) ? Math.min(retry_after_ms ?? 0, LONGEST_ASKED) : 0;
  // whole: added to a time and taken off again, a fraction would come out smaller
  const planned = Math.round((DELAYS[tries - 1] ?? LAST_DELAY) * (1 + random * JITTER));
  const at = Math.min(now + Math.max(planned, asked), end);
  return at - now < Math.min(planned, LEAST_GAP) ? { state: "dead", at: null } : { state: "pending", at };
}
