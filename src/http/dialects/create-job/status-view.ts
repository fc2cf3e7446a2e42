/** Formats a job for the create-job dialect. Pure. */
import * as z from "zod";
import type { LogLine } from "../../../contracts/log-line.ts";
import { type Job, questionOf, runOf } from "../../../domain/job/job.ts";
import { outcomeField, outcomeOf, questionField } from "../../../domain/job/outcome.ts";

export const createJobViewSchema = z
  .object({
    status: z.enum(["pending", "running", "completed", "failed", "merged"]),
    outcome: outcomeField,
    question: questionField,
    branch: z.string(),
    pr_url: z.string().nullable(),
    run_url: z.string().nullable(),
    log: z.string().nullable().meta({ description: "The agent's lines; the last one says why a failed job failed." }),
    changed_files: z.array(z.string()).readonly(),
  })
  .meta({ id: "JobStatus" });

export type CreateJobView = z.infer<typeof createJobViewSchema>;
export type CreateJobStatus = CreateJobView["status"];

/** A verified job is over for a poller unless a merge of ours is still to come. */
function verifiedStatus(job: Job): CreateJobStatus {
  if (job.merged_at !== null) return "merged";
  return job.merge.state === "off" || job.pull_request === null ? "completed" : "running";
}

export function createJobStatus(job: Job): CreateJobStatus {
  switch (job.status) {
    case "pending_payment":
    case "queued":
    case "held":
      return "pending";
    case "accepted":
    case "submitted":
      return "running";
    // a poller has nothing to wait for: `outcome` says `question`
    case "waiting_for_user":
      return "completed";
    case "verified":
      return verifiedStatus(job);
    case "failed":
    case "cancelled":
      return "failed";
  }
}

/** The agent's lines, and at the end why the job failed: callers of this dialect have no other place to read it. */
function logText(job: Job, log: readonly LogLine[]): string | null {
  const lines = log.map((line) => line.text);
  if (createJobStatus(job) === "failed" && job.failure !== null) lines.push(job.failure);
  return lines.length === 0 ? null : lines.join("\n");
}

export const createJobView = (job: Job, log: readonly LogLine[]): CreateJobView => ({
  status: createJobStatus(job),
  outcome: outcomeOf(job),
  question: questionOf(job),
  branch: job.branch,
  pr_url: job.pull_request?.url ?? null,
  run_url: runOf(job)?.url ?? null,
  log: logText(job, log),
  changed_files: job.result?.changed_files ?? [],
});
