/**
 * The file format of a job's record: JSON in two lines. The first has what is needed to find the job and to compute
 * balances, so the start reads one short line per file and validates it; the second has the rest, taken as this code
 * wrote it. The log is no part of it; records of before name the place of theirs, or hold it.
 */
import * as z from "zod";
import type { LogLine } from "../../contracts/log-line.ts";
import type { Job } from "../../domain/job/job.ts";
import { type JobOutcome, jobOutcomeSchema, outcomeOf } from "../../domain/job/outcome.ts";
import { jobSchema } from "../../domain/job/schema.ts";
import { logNumberOfBefore } from "../../domain/job/stored-log.ts";
import { effectsTo5, foundTo6 } from "../../domain/job/upcasts.ts";
import { actionsWorkSchema, marketWorkSchema } from "../../domain/job/work-schema.ts";
import { URGENCIES } from "../../domain/pending-effect.ts";
import { type Booked, bookedBefore, bookedSchema } from "../../domain/usage/booked.ts";
import { type UsageJob, usageJobOf } from "../../domain/usage/figures.ts";
import type { StoredJob } from "../../engine/ports/jobs.ts";
import type { Findable } from "../facts.ts";
import { formatOf, isRecord, readRecord } from "./formats.ts";
import type { Format } from "./json-file.ts";
import { type LogPlace, logPlace } from "./log-place.ts";

const ENDING = ".json";

export const jobFileName = (id: string): string => `${id}${ENDING}`;

const FORMAT = formatOf("job");
/** From this format on jobs are found by what the first line says; records of before are read whole. */
const FIRST_LINES_FROM = 2;
/** Those of before this one hold their log themselves. */
const LOG_PLACES_FROM = 4;

const time = z.number();
const number = z.number().int();

/** The fields of the first line, in its order: an older file that has one of them further down is then read whole. */
const fields = jobSchema.pick({
  ...{ id: true, account: true, repository: true, status: true, origin: true, work: true, created_at: true },
  ...{ submitted_at: true, merged_at: true, deadline_at: true, head_sha: true, pushed_at: true, woken_at: true },
  ...{ pull_request: true, former_pull_requests: true, merge: true, price_cents: true },
  ...{
    expiry: true,
    line: true,
    pull_request_open: true,
    target: true,
    raised: true,
    reserved: true,
    over_budget: true,
  },
});

/** Of the work only what jobs are found by is checked: there are many jobs at the start. */
const findable = fields.extend({
  work: z.discriminatedUnion("kind", [
    actionsWorkSchema.pick({ kind: true, run: true }),
    marketWorkSchema.pick({
      ...{ kind: true, hold: true, worker: true, skills: true, presented_to_agents: true, given_up: true, debts: true },
      sender_asked_at: true,
    }),
  ]),
});

const effect = z.object({
  key: z.string(),
  serial: number,
  attempts: number,
  not_before: time,
  urgency: z.enum(URGENCIES),
  effect: z.object({ type: z.string() }),
});

const head = z.object({
  version: number.positive(),
  postings: z.array(z.object({ account: z.string(), cents: number, reason: z.string(), at: time })),
  effects: z.array(effect),
  log: logPlace.nullable(),
  job: findable,
});

const spending = z.array(bookedSchema);

const whole = head.extend({
  spending: spending.optional(),
  history: z.array(z.unknown()),
  log_nth: number,
  lines: z.array(z.unknown()).optional(),
});

/** The log of a record of before: its place, or its lines. */
interface LogBefore {
  readonly nth: number;
  readonly place: LogPlace | null;
  readonly lines: readonly LogLine[];
}

export interface JobRecord extends StoredJob {
  /** Only in a record of before that was not written since. */
  readonly log_before?: LogBefore;
}

/** `spending` is missing in records of before. */
interface Before extends Omit<StoredJob, "spending"> {
  readonly spending?: StoredJob["spending"];
  readonly log: LogPlace | null;
  readonly lines?: readonly LogLine[];
}

/** What the first line says. */
export interface JobHead extends Pick<JobRecord, "version" | "postings" | "effects"> {
  /** The place of its log, in a record of before; null: it may hold that itself. */
  readonly log_before?: LogPlace | null | undefined;
  /** Absent in records of before. */
  readonly outcome?: JobOutcome | null | undefined;
  /** Absent in records of before, as is the next one. */
  readonly usage?: Pick<UsageJob, "requester" | "model"> | undefined;
  readonly spending?: readonly Booked[] | undefined;
  readonly job: Findable;
}

/** What the figures of use need of a record; null: a record of before, which has to be read whole for it. */
export function usageOfHead({ job, outcome = null, usage, spending }: JobHead): UsageJob | null {
  if (usage === undefined || spending === undefined) return null;
  const { account, repository, origin, created_at, merged_at } = job;
  const { requester, model } = usage;
  return { account, repository, origin, created_at, merged_at, requester, model, outcome, spending };
}

const isBefore = (format: unknown): format is number =>
  typeof format === "number" && format >= FIRST_LINES_FROM && format < FORMAT;

/** A first line as today's, still to be checked. */
function ofToday(line: unknown): unknown {
  if (!isRecord(line) || !isRecord(line.job) || !isBefore(line.format)) return line;
  const effects = line.format < 5 ? effectsTo5(line.effects) : line.effects;
  return { ...line, format: FORMAT, job: foundTo6(line.job, line.format), effects };
}

const outcome = jobOutcomeSchema.nullable().optional();

const usage = z.object({ requester: z.string().nullable(), model: z.string().nullable() });

const firstLineOf = head.extend({
  ...{ format: z.literal(FORMAT), log: head.shape.log.optional(), outcome },
  ...{ usage: usage.optional(), spending: spending.optional() },
});

type FirstLine = Omit<JobHead, "log_before"> & { readonly log?: LogPlace | null };

function assertFirstLine(value: unknown): asserts value is FirstLine {
  firstLineOf.parse(value);
}

function withLogOf({ log = null, ...first }: FirstLine, holds_log: boolean): JobHead {
  return log !== null || holds_log ? { ...first, log_before: log } : first;
}

const headOfRecord = ({ log_before, ...record }: JobRecord): JobHead =>
  log_before === undefined ? record : { ...record, log_before: log_before.place };

function assertWhole(value: unknown): asserts value is Before {
  whole.parse(value);
}

/** The fields of the first line, in its order. One literal, since pieces spread into one cost three times as much. */
// biome-ignore format: a line a field says nothing more
const firstOf = (job: Job): Findable => ({
  id: job.id, account: job.account, repository: job.repository, status: job.status, origin: job.origin, work: job.work,
  created_at: job.created_at, submitted_at: job.submitted_at, merged_at: job.merged_at, deadline_at: job.deadline_at,
  head_sha: job.head_sha, pushed_at: job.pushed_at, woken_at: job.woken_at, pull_request: job.pull_request,
  former_pull_requests: job.former_pull_requests, merge: job.merge, price_cents: job.price_cents,
  expiry: job.expiry, line: job.line, pull_request_open: job.pull_request_open,
  target: job.target, raised: job.raised, reserved: job.reserved, over_budget: job.over_budget,
});

const FIRST = Object.keys(findable.shape);
const FIRST_NAMES = new Set(FIRST);

/** The job with its first fields first, as one that was read has them, so that it is written in one pass. */
function inOrder(job: Job): Job {
  let at = 0;
  for (const name in job) {
    if (at === FIRST.length) break;
    if (name !== FIRST[at++]) return { ...firstOf(job), ...job };
  }
  return job;
}

/**
 * The JSON of a job in two: up to its first fields, and the rest. One that is new has them in another order: then the
 * rest is written field by field, since a record without some fields would be a slow copy of sixty.
 */
function inTwo(job: Job): readonly [first: string, others: string] {
  const first = `${opened(firstOf(job))},`;
  const all = JSON.stringify(job);
  return [first, all.startsWith(first) ? all.slice(first.length) : `${othersOf(job)}}`];
}

const othersOf = (job: Job): string =>
  Object.entries(job)
    .filter(([name, value]) => !FIRST_NAMES.has(name) && value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join(",");

/** An object's JSON without the brace that ends it. */
const opened = (value: object): string => JSON.stringify(value).slice(0, -1);

export const jobFormat: Format<JobRecord> = {
  parse(text) {
    const value = readRecord("job", text);
    assertWhole(value);
    // they follow from the job
    if ("outcome" in value) delete value.outcome;
    if ("usage" in value) delete value.usage;
    const { log: place, lines = [], log_nth: nth, ...record } = value;
    const log_before = place === null && lines.length === 0 ? null : { nth, place, lines };
    return {
      ...record,
      spending: value.spending ?? bookedBefore(value.job),
      log_nth: logNumberOfBefore(value.job, nth, log_before !== null),
      ...(log_before === null ? {} : { log_before }),
    };
  },
  /** All that a record holds is JSON: it is what its text says, once its first fields stand first. */
  asRead({ job, version, history, postings, spending, effects, log_nth }) {
    head.parse({ version, postings, effects, log: null, job });
    return { job: inOrder(job), version, history, postings, spending, effects, log_nth };
  },
  write({ job, version, history, postings, spending, effects, log_nth }) {
    const [first, others] = inTwo(job);
    const { requester, model } = usageJobOf(job, spending);
    // versions of before want to know where the log is
    const found = { outcome: outcomeOf(job), usage: { requester, model }, spending, postings, effects, log: null };
    const line = `${opened({ format: FORMAT, version, ...found })},"job":${first}`;
    return `${line}\n${others},"history":${JSON.stringify(history)},"log_nth":${log_nth}}\n`;
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
    const raw: unknown = JSON.parse(`${bytes.toString("utf8", 0, end - 1)}}}`);
    const value = ofToday(raw);
    assertFirstLine(value);
    return withLogOf(value, isRecord(raw) && isBefore(raw.format) && raw.format < LOG_PLACES_FROM);
  } catch {
    return null;
  }
}

/** What finding a job needs, from the bytes of its whole file. Throws when the file is damaged. */
export const parseHead = (bytes: Buffer): JobHead =>
  firstLine(bytes) ?? headOfRecord(jobFormat.parse(bytes.toString("utf8")));
