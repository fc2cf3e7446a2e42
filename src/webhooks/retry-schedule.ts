/**
 * Decides after an attempt whether a message is delivered, dead, or retried and when. A webhook is retried for a day.
 * Pure.
 */
import { isChat, type WebhookFormat } from "../domain/webhook-format.ts";
import type { DeliveryState } from "../engine/ports/outgoing-deliveries.ts";
import { isBusy } from "./retry-after.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Delays between attempts; the last one repeats until the end. */
const DELAYS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR];
const LAST_DELAY = 6 * HOUR;
/** A message that is not accepted by then is dead. */
export const GIVEN_UP_MS = 24 * HOUR;
/** A last attempt closer to the previous one would be pointless. */
const MIN_GAP = 5 * MINUTE;
/** Upper bound for a receiver's Retry-After. */
const MAX_RETRY_AFTER = 6 * HOUR;
/** Random extension of each delay, so that messages that failed together are spread out. */
const JITTER = 0.2;

const GONE = 410;
/** A chat answers so when its webhook or channel was removed. Discord restricts whoever goes on asking. */
const NOT_FOUND = 404;
/** The receiver takes no other message either before the time that it names. */
const TOO_MANY = 429;

export interface LastAttempt {
  /** When this series of attempts began. */
  readonly since: number;
  /** Attempts in this series, including the last one. */
  readonly attempts: number;
  readonly status: number | null;
  readonly format: WebhookFormat;
  readonly retry_after_ms: number | null;
  readonly now: number;
  /** 0 ≤ n < 1. */
  readonly random: number;
}

export interface Next {
  readonly state: DeliveryState;
  /** Null when there is no further attempt. */
  readonly at: number | null;
}

export const isSuccess = (status: number | null): boolean => status !== null && status >= 200 && status < 300;

/** The receiver is permanently gone. */
export const isGone = (status: number | null, format: WebhookFormat): boolean =>
  status === GONE || (status === NOT_FOUND && isChat(format));

/** Until when nothing may be sent to the receiver; null: it has not said so. */
export const busyUntil = ({ status, retry_after_ms, now }: Pick<LastAttempt, "status" | "retry_after_ms" | "now">) =>
  status === TOO_MANY && retry_after_ms !== null ? now + Math.min(retry_after_ms, MAX_RETRY_AFTER) : null;

export function nextAttempt({ since, attempts, status, format, retry_after_ms, now, random }: LastAttempt): Next {
  if (isSuccess(status)) return { state: "delivered", at: null };
  const end = since + GIVEN_UP_MS;
  if (isGone(status, format) || now >= end) return { state: "dead", at: null };
  const asked = isBusy(status) ? Math.min(retry_after_ms ?? 0, MAX_RETRY_AFTER) : 0;
  // Rounded: adding a fraction to a time and subtracting it again loses precision.
  const planned = Math.round((DELAYS[attempts - 1] ?? LAST_DELAY) * (1 + random * JITTER));
  const at = Math.min(now + Math.max(planned, asked), end);
  return at - now < Math.min(planned, MIN_GAP) ? { state: "dead", at: null } : { state: "pending", at };
}
