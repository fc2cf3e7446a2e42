/**
 * What makes a job's record of one format into one of the next. Every field that a later format has is filled in here, so
 * that nothing else need know that there was a time without it.
 */
import { z } from "zod";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import type { Job } from "../../domain/job/job.ts";
import { NOTHING_SPENT } from "../../domain/job/usage.ts";

type Raw = Readonly<Record<string, unknown>>;

/** As much of a record as has to be looked at. */
const record = z.looseObject({
  job: z.looseObject({
    settings: z.looseObject({}).nullish(),
    work: z.looseObject({}).nullish(),
    base: z.looseObject({ branch: z.string().nullable() }),
  }),
  history: z.array(z.looseObject({ seq: z.number().optional() })),
  log: z.array(z.unknown()),
  log_nth: z.number().optional(),
});

const FIELDS_OF_2 = {
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

const FIELDS_OF_3 = {
  settings_problem: null,
  llm: null,
  early_runs: [],
  former_pull_requests: [],
  turned_down: [],
  given_up: [],
  debts: [],
  other_tries: NOTHING_SPENT,
  old_workflow: false,
} satisfies Partial<Job>;

/** Rows of the history are numbered, logs are counted, and there is a market. */
export function jobTo2(before: Raw): Raw {
  const { job, history, log, log_nth = Math.min(1, log.length), ...others } = record.parse(before);
  const numbered = history[0]?.seq === undefined ? history.map((row, index) => ({ ...row, seq: index + 1 })) : history;
  return { ...others, job: { ...FIELDS_OF_2, ...job }, history: numbered, log, log_nth };
}

/**
 * A job holds all settings, whichever there were when its brief was pushed. Once a branch stood in it nobody could tell
 * any more whether it was named or the default one.
 */
export function jobTo3(before: Raw): Raw {
  const { job, ...others } = record.parse(before);
  const settings = job.settings ? { ...DEFAULT_REPOSITORY_SETTINGS, ...job.settings } : null;
  const base = { is_default: job.base.branch === null, ...job.base };
  const work = job.work ? { run: null, ...job.work } : null;
  return { ...others, job: { ...FIELDS_OF_3, ...job, settings, work, base } };
}

/** The log has left the record. What was in it stays with it until it is written again, which gives the log a file. */
export function jobTo4(before: Raw): Raw {
  const { log, ...others } = record.parse(before);
  return { ...others, log: null, lines: log };
}
