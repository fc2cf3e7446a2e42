/** Converts a job's record from one format to the next. The job inside is converted by `domain/job/upcasts.ts`. */
import * as z from "zod";
import * as upcasts from "../../domain/job/upcasts.ts";

type Raw = Readonly<Record<string, unknown>>;

/** As much of a record as has to be looked at. */
const record = z.looseObject({
  job: z.looseObject({}),
  history: z.array(z.looseObject({ seq: z.number().optional() })),
  log: z.array(z.unknown()).nullable(),
  log_nth: z.number().optional(),
});

/** Rows of the history are numbered, and logs are counted. */
export function jobTo2(before: Raw): Raw {
  const { job, history, log, log_nth = Math.min(1, log?.length ?? 0), ...others } = record.parse(before);
  const numbered = history[0]?.seq === undefined ? history.map((row, index) => ({ ...row, seq: index + 1 })) : history;
  return { ...others, job: upcasts.jobTo2(job), history: numbered, log, log_nth };
}

export function jobTo3(before: Raw): Raw {
  const { job, ...others } = record.parse(before);
  return { ...others, job: upcasts.jobTo3(job) };
}

/** The log has left the record. What was in it stays with it until it is written again, which gives the log a file. */
export function jobTo4(before: Raw): Raw {
  const { log, ...others } = record.parse(before);
  return { ...others, log: null, lines: log ?? [] };
}

export function jobTo5(before: Raw): Raw {
  const { job, ...others } = record.parse(before);
  return { ...others, job: upcasts.jobTo5(job), effects: upcasts.effectsTo5(before.effects) };
}

export function jobTo6(before: Raw): Raw {
  const { job, ...others } = record.parse(before);
  return { ...others, job: upcasts.jobTo6(job) };
}
