/**
 * How a job's record stands in its file: JSON in three lines. The first holds what finding and paying a job rests on,
 * the second all the rest but the log, the third the log: so the start reads one short line of each file. That line is
 * checked; the rest of the record is taken as this code wrote it.
 */
import { z } from "zod";
import type { StoredJob } from "../../engine/ports.ts";
import { type Job, STATUSES } from "../../job/job.ts";
import { JOB_ID_PATTERN } from "../../wire/brief.ts";
import type { Findable } from "../facts.ts";
import type { Format } from "./json-file.ts";

const ENDING = ".json";

export const jobFileName = (id: string): string => `${id}${ENDING}`;

/** Raised when a record can no longer be read as it was; then older ones are translated here. */
const FORMAT = 1;

const time = z.number();
const number = z.number().int();

/** Every field of the first line is asked for: an older file that has it further down is then read whole. */
const findable = z.object({
  id: z.string().regex(JOB_ID_PATTERN),
  account: z.string(),
  repository: z.object({ owner: z.string(), name: z.string() }),
  runner: z.string(),
  status: z.enum(STATUSES),
  origin: z.object({ kind: z.string(), issue: number.optional(), comment_id: number.optional() }),
  created_at: time,
  submitted_at: time.nullable(),
  sender_asked_at: time.nullable(),
  merged_at: time.nullable(),
  deadline_at: time.nullable(),
  pushed_at: time.nullable(),
  woken_at: time.nullable(),
  hold: z.object({ expires_at: time }).nullable(),
  run: z.object({ id: number }).nullable(),
  pull_request: z.object({ number }).nullable(),
  merge: z.object({ state: z.string() }),
  price_cents: number,
  skills: z.array(z.string()),
  presented_to_agents: z.array(z.string()),
} satisfies Record<keyof Findable, z.ZodType>);

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
  postings: z.array(z.object({ account: z.string(), cents: number, reason: z.string(), at: time })),
  effects: z.array(effect),
  job: findable,
});

/** What older records do not have. */
const NEW_FIELDS = {
  callback_url: null,
  description: "",
  requirements: "",
  skills: [],
  enclosure: null,
  delivery: null,
  judgement: null,
  approval: null,
  sender_asked_at: null,
  handed_in: null,
  progress_at: null,
} satisfies Partial<Job>;

const NEW_NAMES = Object.keys(NEW_FIELDS);

/** A copy of all fields, which costs more than the rest of a parse, for older records alone. */
const mended = (job: Job): Job => (NEW_NAMES.every((name) => name in job) ? job : Object.assign({}, NEW_FIELDS, job));

/** Rows of older records have no numbers. */
const numbered = (rows: StoredJob["history"]): StoredJob["history"] =>
  rows[0]?.seq === undefined ? rows.map((row, index) => ({ ...row, seq: index + 1 })) : rows;

const older = findable.extend({
  skills: findable.shape.skills.optional(),
  sender_asked_at: findable.shape.sender_asked_at.optional(),
});
const whole = head.extend({
  job: older,
  history: z.array(z.unknown()),
  log: z.array(z.unknown()),
  log_nth: number.optional(),
});

/** What the first line says. */
export interface JobHead extends Pick<StoredJob, "version" | "postings" | "effects"> {
  readonly job: Findable;
}

function assertHead(value: unknown): asserts value is JobHead {
  head.parse(value);
}

function assertWhole(value: unknown): asserts value is StoredJob {
  whole.parse(value);
}

/** The fields of the first line. */
function firstOf(job: Job): Findable {
  const { id, account, repository, runner, status, origin, hold, run, pull_request, merge } = job;
  const { created_at, submitted_at, sender_asked_at, merged_at, deadline_at, pushed_at, woken_at } = job;
  const { price_cents, skills, presented_to_agents } = job;
  return {
    ...{ id, account, repository, runner, status, origin, hold, run, pull_request, merge, created_at, submitted_at },
    ...{ sender_asked_at, merged_at, deadline_at, pushed_at, woken_at, price_cents, skills, presented_to_agents },
  };
}

const FIRST = new Set(Object.keys(findable.shape));

/** The JSON of all others, field by field: a record without some fields would be a slow copy of sixty. */
const othersOf = (job: Job): string =>
  Object.entries(job)
    .filter(([name, value]) => !FIRST.has(name) && value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join(",");

/** An object's JSON without the brace that ends it. */
const opened = (value: object): string => JSON.stringify(value).slice(0, -1);

export const jobFormat: Format<StoredJob> = {
  parse(text) {
    const value: unknown = JSON.parse(text);
    assertWhole(value);
    const { job, version, history, postings, effects, log, log_nth = Math.min(1, log.length) } = value;
    const whole = { job: mended(job), history: numbered(history), log_nth };
    return { ...whole, version, postings, effects, log };
  },
  write({ job, version, history, postings, effects, log, log_nth }) {
    const lines = [
      `${opened({ format: FORMAT, version, postings, effects })},"job":${opened(firstOf(job))},`,
      `${othersOf(job)}},"history":${JSON.stringify(history)},`,
      `"log_nth":${log_nth},"log":${JSON.stringify(log)}}`,
    ];
    return `${lines.join("\n")}\n`;
  },
};

const LINE_FEED = 10;
const CLOSING_BRACE = 125;

/** Null: this is not how we write, e.g. because someone has mended the file by hand. */
function firstLine(bytes: Buffer): JobHead | null {
  const isWhole = bytes.at(-1) === LINE_FEED && bytes.at(-2) === CLOSING_BRACE;
  const end = bytes.indexOf(LINE_FEED);
  if (!isWhole || end > bytes.length - 2) return null;
  try {
    const value: unknown = JSON.parse(`${bytes.toString("utf8", 0, end - 1)}}}`);
    assertHead(value);
    return value;
  } catch {
    return null;
  }
}

/** What finding a job needs, from the bytes of its whole file. Throws when the file is damaged. */
export const parseHead = (bytes: Buffer): JobHead => firstLine(bytes) ?? jobFormat.parse(bytes.toString("utf8"));
