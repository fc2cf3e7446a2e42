/**
 * Writes the end of a run to `.jobs/{id}/result.json`. Always written, and in one rename, so that the pushing step
 * never reads half of it.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jobFolder, LOG_FILE, RESULT_FILE } from "../src/contracts/brief.ts";
import { MAX_NOTE, MAX_NOTES, type Result, resultSchema, type Usage } from "../src/contracts/result.ts";
import { head } from "../src/text/text.ts";
import { describeStop, permanentErrorOf, type Stop } from "./loop/stop-reasons.ts";

export interface RunEnd {
  readonly stop: Stop;
  readonly model: string;
  /** Notes about the choice of model. */
  readonly modelNotes: readonly string[];
  readonly usage: Usage;
  /** Null when the model's price is unknown. */
  readonly cents: number | null;
  /** The title if the model gave none. */
  readonly taskTitle: string;
  /** The model's last text: the body of a run that it did not finish itself. */
  readonly lastText: string;
  /** Added to the model's body. */
  readonly notes: readonly string[];
}

export function resultOf(end: RunEnd, redact: (text: string) => string): Result {
  const { outcome, reason } = describeStop(end.stop);
  const finished = end.stop.kind === "finished" ? end.stop : null;
  return resultSchema.parse({
    version: 1,
    outcome,
    title: redact(finished?.title ?? end.taskTitle),
    body: redact([finished?.body ?? end.lastText, ...end.notes].filter((part) => part !== "").join("\n\n")),
    ...(reason === undefined ? {} : { reason: redact(reason) }),
    permanent_error: permanentErrorOf(end.stop),
    replies: (finished?.replies ?? []).map((reply) => ({ ...reply, body: redact(reply.body) })),
    conflicts: [...(finished?.conflicts ?? [])],
    model: end.model,
    notes: end.modelNotes.slice(0, MAX_NOTES).map((note) => head(redact(note), MAX_NOTE)),
    usage: end.usage,
    cost_cents: end.cents,
  });
}

const FULL_DISK =
  "The runner's disk was full, so files may be missing or incomplete. Free disk space and retry the job.";

const isFull = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");

/**
 * Returns what was written. On a full disk it deletes the log, which was shown already, to write that the run failed.
 */
export function writeResult(workspace: string, jobId: string, result: Result): Result {
  const folder = join(workspace, jobFolder(jobId));
  const path = join(folder, RESULT_FILE);
  const write = (one: Result): Result => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${path}.new`, `${JSON.stringify(one, null, 2)}\n`);
    renameSync(`${path}.new`, path);
    return one;
  };
  try {
    return write(result);
  } catch (error) {
    if (!isFull(error)) throw error;
    rmSync(join(folder, LOG_FILE), { force: true });
    return write({ ...result, outcome: "failed", reason: FULL_DISK });
  }
}

/** Reaching a limit is a regular end that keeps the work; only a failure turns the workflow red. */
export const exitCodeOf = (result: Result): 0 | 1 => (result.outcome === "failed" ? 1 : 0);
