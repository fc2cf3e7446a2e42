/**
 * How a job reads in the create-job dialect. Pure: everything comes from the stored record.
 */
import type { StoredJob } from "../engine/ports.ts";
import type { Job } from "../job/job.ts";

export type CreateJobStatus = "pending" | "running" | "completed" | "failed" | "merged";

export interface CreateJobView {
  readonly status: CreateJobStatus;
  readonly branch: string;
  readonly pr_url: string | null;
  readonly run_url: string | null;
  readonly log: string | null;
  readonly changed_files: readonly string[];
}

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
    case "verified":
      return verifiedStatus(job);
    case "failed":
    case "cancelled":
      return "failed";
  }
}

/** The agent's lines, and at the end why the job failed: callers of this dialect have no other place to read it. */
function logText(stored: StoredJob): string | null {
  const lines = stored.log.map((line) => line.text);
  if (createJobStatus(stored.job) === "failed" && stored.job.failure !== null) lines.push(stored.job.failure);
  return lines.length === 0 ? null : lines.join("\n");
}

export const createJobView = (stored: StoredJob): CreateJobView => ({
  status: createJobStatus(stored.job),
  branch: stored.job.branch,
  pr_url: stored.job.pull_request?.url ?? null,
  run_url: stored.job.run?.url ?? null,
  log: logText(stored),
  changed_files: stored.job.work?.changed_files ?? [],
});
