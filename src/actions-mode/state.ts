/**
 * A job as text, for the time between two processes: what the next one needs to go on, and no more. Never a secret.
 * Reading gives a job of this very repository and branch or nothing, whatever the text says.
 */
import { z } from "zod";
import { logLineSchema } from "../contracts/log-line.ts";
import { redact } from "../contracts/redact.ts";
import type { PendingEffect } from "../domain/job/effect.ts";
import type { HistoryRow } from "../domain/job/job.ts";
import { branchOf, type Job, type JobId, type Repository } from "../domain/job/job.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";
import { head } from "../text/text.ts";
import { effectSchema, historySchema, jobSchema } from "./job-schema.ts";

/** Raised when a job can no longer be read as it was. */
const FORMAT = 1;
/** GitHub's GraphQL answers no more of a file than 512 KB. */
export const MAX_STATE_BYTES = 400_000;
/** Characters of one text that are kept, the first length that lets the whole fit. */
const TEXT_LIMITS = [100_000, 50_000, 20_000, 8_000, 2_000, 500] as const;
const MAX_HISTORY = 50;
/** The check shows the end of the log. */
const MAX_LOG = 200;

export interface Carried extends Pick<StoredJob, "job" | "log"> {
  readonly history: readonly HistoryRow[];
  readonly effects: readonly Pick<PendingEffect, "effect" | "not_before">[];
}

const schema = z.object({
  format: z.literal(FORMAT),
  job: jobSchema,
  effects: z.array(z.object({ effect: effectSchema, not_before: z.number() })),
  history: z.array(historySchema),
  log: z.array(logLineSchema),
});

function textOf(carried: Carried, limit: number): string {
  const clean = (_key: string, value: unknown): unknown =>
    typeof value === "string" ? head(redact(value), limit) : value;
  return JSON.stringify({ format: FORMAT, ...carried }, clean, 1);
}

export function write({ job, history, effects, log }: StoredJob): string {
  const carried: Carried = {
    job,
    effects: effects.map(({ effect, not_before }) => ({ effect, not_before })),
    // numbered anew wherever they are read
    history: history.slice(-MAX_HISTORY).map(({ seq: _, ...row }) => row),
    log: log.slice(-MAX_LOG),
  };
  for (const limit of TEXT_LIMITS) {
    const text = textOf(carried, limit);
    if (Buffer.byteLength(text) <= MAX_STATE_BYTES) return text;
  }
  throw new Error(`Job ${job.id} does not fit into ${MAX_STATE_BYTES} bytes`);
}

/** Null: the text is no state of this job. */
export function read(text: string, id: JobId, repository: Repository): Carried | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) return null;
  const { job, effects, history, log } = parsed.data;
  if (job.id !== id || job.branch !== branchOf(id)) return null;
  const here: Job = { ...job, repository };
  return { job: here, effects, history, log };
}
