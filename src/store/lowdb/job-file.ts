/**
 * How a job's record stands in its file: JSON with the log, which is by far the longest part, in a line of its own at
 * the end, so that the start can leave it unread. Checks what finding and paying a job rests on; the rest of the record
 * is taken as this code wrote it.
 */
import { z } from "zod";
import type { StoredJob } from "../../engine/ports.ts";
import { JOB_ID_PATTERN } from "../../wire/brief.ts";
import { STATUSES } from "../../job/job.ts";
import type { Format } from "./json-file.ts";

const ENDING = ".json";

export const jobFileName = (id: string): string => `${id}${ENDING}`;

/** Raised when a record can no longer be read as it was; then older ones are translated here. */
const FORMAT = 1;

const time = z.number();
const number = z.number().int();

const job = z.object({
  id: z.string().regex(JOB_ID_PATTERN),
  account: z.string(),
  repository: z.object({ owner: z.string(), name: z.string() }),
  runner: z.string(),
  status: z.enum(STATUSES),
  origin: z.object({ kind: z.string(), issue: number.optional(), comment_id: number.optional() }),
  created_at: time,
  submitted_at: time.nullable(),
  merged_at: time.nullable(),
  deadline_at: time.nullable(),
  pushed_at: time.nullable(),
  woken_at: time.nullable(),
  hold: z.object({ expires_at: time }).nullable(),
  pull_request: z.object({ number }).nullable(),
  merge: z.object({ state: z.string() }),
});

const effect = z.object({
  key: z.string(),
  serial: number,
  attempts: number,
  not_before: time,
  effect: z.object({ type: z.string() }),
});

const head = z.object({
  format: z.literal(FORMAT),
  version: number.positive(),
  job,
  history: z.array(z.unknown()),
  postings: z.array(z.object({ account: z.string(), cents: number })),
  effects: z.array(effect),
});

const whole = head.extend({ log: z.array(z.unknown()) });

/** All of a record but the log. */
export type JobHead = Omit<StoredJob, "log">;

function assertHead(value: unknown): asserts value is JobHead {
  head.parse(value);
}

function assertWhole(value: unknown): asserts value is StoredJob {
  whole.parse(value);
}

export const jobFormat: Format<StoredJob> = {
  parse(text) {
    const value: unknown = JSON.parse(text);
    assertWhole(value);
    const { job, version, history, postings, effects, log } = value;
    return { job, version, history, postings, effects, log };
  },
  write({ job, version, history, postings, effects, log }) {
    const start = JSON.stringify({ format: FORMAT, version, job, history, postings, effects });
    return `${start.slice(0, -1)},\n"log":${JSON.stringify(log)}}\n`;
  },
};

const LINE_FEED = 10;
const CLOSING_BRACE = 125;

/** The head of a record from the bytes of its whole file. Throws when the file is not whole. */
export function parseHead(bytes: Buffer): JobHead {
  const end = bytes.indexOf(LINE_FEED);
  const isOurs = bytes.at(-1) === LINE_FEED && bytes.at(-2) === CLOSING_BRACE && end < bytes.length - 1 && end > 1;
  // Someone may have mended the file by hand: it is still JSON.
  if (!isOurs || bytes.at(end - 1) !== 44) return jobFormat.parse(bytes.toString("utf8"));
  const value: unknown = JSON.parse(`${bytes.toString("utf8", 0, end - 1)}}`);
  assertHead(value);
  return value;
}
