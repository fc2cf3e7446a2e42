/**
 * How outgoing deliveries stand in their journals. What one event is to whom stands in one line, with its body behind a
 * tab, which JSON writes in no other place: so the start reads what it needs and leaves the bodies where they are.
 */
import { z } from "zod";
import { asJobId } from "../../domain/job/job.ts";
import { EVENT_NAMES } from "../../domain/job/job-events.ts";
import type {
  DeliveryAttempt,
  DeliveryState,
  NewDelivery,
  StoredDelivery,
} from "../../engine/ports/outgoing-deliveries.ts";
import { TEST_EVENT } from "../../engine/ports/outgoing-deliveries.ts";
import { unreadable } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";

const STATES = ["pending", "delivered", "dead"] as const satisfies readonly DeliveryState[];

const attemptSchema = z.object({
  at: z.number(),
  took_ms: z.number(),
  status: z.number().nullable(),
  error: z.string().nullable(),
});

const deliverySchema = z.object({
  id: z.string(),
  subscription: z.string(),
  url: z.string().nullable(),
  event: z.enum([...EVENT_NAMES, TEST_EVENT]),
  job: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : asJobId(text))),
  at: z.number(),
  state: z.enum(STATES),
  attempts: z.array(attemptSchema),
  since: z.number(),
  tries: z.number(),
  next_at: z.number().nullable(),
});

const lineSchema = z.union([
  z.strictObject({ deliveries: z.array(deliverySchema) }),
  z.strictObject({ tried: z.string(), attempt: attemptSchema, state: z.enum(STATES), next_at: z.number().nullable() }),
  z.strictObject({ again: z.string(), at: z.number() }),
]);

export type OutgoingLine =
  | { readonly deliveries: readonly StoredDelivery[] }
  | {
      readonly tried: string;
      readonly attempt: DeliveryAttempt;
      readonly state: DeliveryState;
      readonly next_at: number | null;
    }
  | { readonly again: string; readonly at: number };

/** Kept of one delivery; a replayed one may have any number. */
const MOST_ATTEMPTS = 30;

/** Field by field: it is made for each delivery, and copying all but one costs several times as much. */
export const fresh = ({ id, subscription, url, event, job, at }: NewDelivery): StoredDelivery => ({
  id,
  subscription,
  url,
  event,
  job,
  at,
  state: "pending",
  attempts: [],
  since: at,
  tries: 0,
  next_at: at,
});

export const tried = (
  before: StoredDelivery,
  attempt: DeliveryAttempt,
  state: DeliveryState,
  next_at: number | null,
): StoredDelivery => ({
  ...before,
  state,
  next_at,
  attempts: [...before.attempts, attempt].slice(-MOST_ATTEMPTS),
  tries: before.tries + 1,
});

export const again = (before: StoredDelivery, at: number): StoredDelivery => ({
  ...before,
  state: "pending",
  since: at,
  tries: 0,
  next_at: at,
});

export const lineOf = (line: OutgoingLine): string => writeRecord("outgoing delivery", line);

/** What the start reads, and the body. */
export const deliveriesLine = (deliveries: readonly StoredDelivery[], body: string): readonly [string, string] => [
  `${lineOf({ deliveries })}\t`,
  JSON.stringify(body),
];

export const bodyFrom = (text: string): string => z.string().parse(JSON.parse(text));

export interface Found {
  readonly line: OutgoingLine;
  /** Where its body is, in bytes; empty where it has none. */
  readonly start: number;
  readonly length: number;
}

const LINE_FEED = 10;
const TAB = 9;

/** The whole lines in these bytes, and how far they reach: a crash may leave a torn one behind them. */
export function readLines(path: string, bytes: Buffer): { readonly lines: readonly Found[]; readonly size: number } {
  const lines: Found[] = [];
  let from = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
    const tab = bytes.subarray(from, end).indexOf(TAB);
    const start = tab < 0 ? end : from + tab + 1;
    try {
      const line = lineSchema.parse(
        readRecord("outgoing delivery", bytes.toString("utf8", from, tab < 0 ? end : from + tab)),
      );
      lines.push({ line, start, length: end - start });
    } catch (cause) {
      throw unreadable(`${path} (line ${lines.length + 1})`, cause);
    }
    from = end + 1;
  }
  return { lines, size: from };
}
