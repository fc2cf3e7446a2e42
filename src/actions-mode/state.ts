/**
 * Serialises a job between two processes: only what the next one needs, and never a secret. Parsing returns a job of
 * this repository and branch, or null, whatever the text says.
 */
import * as z from "zod";
import { type LogLine, logLineSchema } from "../contracts/log-line.ts";
import { redact } from "../contracts/redact.ts";
import { gitHubEffectSchema, type PendingEffect } from "../domain/job/effect.ts";
import { type HistoryRow, historyRowSchema } from "../domain/job/history.ts";
import { branchOf, isOnActions, issueOf, type Job, type JobId, type Repository } from "../domain/job/job.ts";
import { jobSchema } from "../domain/job/schema.ts";
import { effectsTo5, jobTo2, jobTo3, jobTo5 } from "../domain/job/upcasts.ts";
import { URGENCIES } from "../domain/pending-effect.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";
import { head } from "../text/text.ts";

/** Raised when a job can no longer be read as it was. */
const FORMAT = 2;
/** GitHub's GraphQL answers no more of a file than 512 KB. */
export const MAX_STATE_BYTES = 400_000;
/** Characters of one text that are kept, the first length that lets the whole fit. */
const TEXT_LIMITS = [100_000, 50_000, 20_000, 8_000, 2_000, 500] as const;
const MAX_HISTORY = 50;
/** The check shows the end of the log. */
const MAX_LOG = 200;

export interface Carried extends Pick<StoredJob, "job"> {
  readonly log: readonly LogLine[];
  readonly history: readonly HistoryRow[];
  readonly effects: readonly Pick<PendingEffect, "effect" | "urgency" | "not_before">[];
}

const effects = z.array(z.object({ effect: gitHubEffectSchema, urgency: z.enum(URGENCIES), not_before: z.number() }));
const rest = { effects, history: z.array(historyRowSchema), log: z.array(logLineSchema) };

const schema = z.object({ format: z.literal(FORMAT), job: jobSchema, ...rest });

const schemaOf1 = z
  .object({ format: z.literal(1), job: z.looseObject({}), effects: z.array(z.looseObject({})) })
  .loose()
  .transform(({ job, effects, ...others }, context): unknown => {
    try {
      return { ...others, format: FORMAT, job: jobTo5(jobTo3(jobTo2(job))), effects: effectsTo5(effects) };
    } catch {
      // anyone who may push can have written it, and one that cannot be read must not stop the other jobs
      context.addIssue({ code: "custom", message: "is not a job of format 1" });
      return z.NEVER;
    }
  })
  .pipe(schema);

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|)$/;

/** Every commit that is named can be one; empty where a branch was gone before it could be read. */
function namesCommits(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, inner]) =>
    (name === "sha" || name.endsWith("_sha")) && inner !== null
      ? typeof inner === "string" && COMMIT.test(inner)
      : namesCommits(inner),
  );
}

/** Jobs of Actions mode are asked for on GitHub, never paid for and never offered to the market; runs speak to a server alone. */
const isOfActionsMode = (job: Job): boolean =>
  isOnActions(job) &&
  job.price_cents === 0 &&
  issueOf(job.origin) !== null &&
  job.callback_url === null &&
  job.work.handed_in === null &&
  job.work.progress_at === null;

function textOf(carried: Carried, limit: number): string {
  const clean = (_key: string, value: unknown): unknown =>
    typeof value === "string" ? head(redact(value), limit) : value;
  return JSON.stringify({ format: FORMAT, ...carried }, clean, 1);
}

export function write(
  { job, history, effects }: Pick<StoredJob, "job" | "history" | "effects">,
  log: readonly LogLine[],
): string {
  const carried: Carried = {
    job,
    effects: effects.map(({ effect, urgency, not_before }) => ({ effect, urgency, not_before })),
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
  const parsed = z.union([schema, schemaOf1]).safeParse(raw);
  if (!parsed.success || !isOfActionsMode(parsed.data.job) || !namesCommits(parsed.data)) return null;
  const { job, effects, history, log } = parsed.data;
  if (job.id !== id || job.branch !== branchOf(id)) return null;
  const here: Job = { ...job, repository };
  return { job: here, effects, history, log };
}
