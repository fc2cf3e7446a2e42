/**
 * Lines of the outgoing webhook journals. One line holds an event's messages and, after a tab, their common body. JSON
 * contains no other tab, so the start can read the messages and skip the body.
 */
import * as z from "zod";
import { asJobId } from "../../domain/job/job.ts";
import { PUBLISHED_EVENT_NAMES } from "../../domain/published-events.ts";
import type {
  DeliveryAttempt,
  DeliveryState,
  NewDelivery,
  StoredDelivery,
} from "../../engine/ports/outgoing-deliveries.ts";
import { TEST_EVENT } from "../../engine/ports/outgoing-deliveries.ts";
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
  event: z.enum([...PUBLISHED_EVENT_NAMES, TEST_EVENT]),
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

/** Attempts stored per message; a replayed message may have any number. */
const MAX_ATTEMPTS = 30;

/** Lists the fields: this runs for each message, and copying with spread is several times slower. */
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
  attempts: [...before.attempts, attempt].slice(-MAX_ATTEMPTS),
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

/** The messages, which the start reads, and the body. */
export const deliveriesLine = (deliveries: readonly StoredDelivery[], body: string): readonly [string, string] => [
  `${lineOf({ deliveries })}\t`,
  JSON.stringify(body),
];

export const bodyFrom = (text: string): string => z.string().parse(JSON.parse(text));

export interface Found {
  readonly line: OutgoingLine;
  /** Where the body begins; behind the line when there is none. */
  readonly body_at: number;
}

const TAB = 9;

export function readLine(bytes: Buffer): Found {
  const tab = bytes.indexOf(TAB);
  const end = tab < 0 ? bytes.length : tab;
  const line = lineSchema.parse(readRecord("outgoing delivery", bytes.toString("utf8", 0, end)));
  return { line, body_at: Math.min(end + 1, bytes.length) };
}
