/** How a job reads in the agent v2 dialect. Pure: everything comes from the stored job and what is told of the server. */
import { type Job, fullName } from "../job/job.ts";

export type AgentV2Status = "active" | "completed" | "failed" | "archived";

export interface AgentV2View {
  readonly id: string;
  readonly status: AgentV2Status;
  readonly source: { readonly repository: string; readonly ref: string };
  readonly model: string;
  readonly prLink: string | null;
  readonly createdAt: string;
  readonly archivedAt: string | null;
}

/** What a job itself does not say. */
export interface AgentV2Surroundings {
  /** GitHub's pages, without a trailing slash. */
  readonly github_web_url: string;
  /** Of a job that names none, while the repository's settings for it are not read yet. */
  readonly model: string;
}

export function agentV2Status(job: Job): AgentV2Status {
  if (job.archived_at !== null) return "archived";
  switch (job.status) {
    case "pending_payment":
    case "queued":
    case "held":
    case "accepted":
    case "submitted":
      return "active";
    case "verified":
      return "completed";
    case "failed":
    case "cancelled":
      return "failed";
  }
}

/** What stands for the model of a run that has left no result. */
const NOT_TOLD = "unknown";

/** The model that did the work, else the one that was or will be asked to. */
function modelOf({ work, choices, settings }: Job, fallback: string): string {
  if (work !== null && work.model !== NOT_TOLD) return work.model;
  return choices.model ?? settings?.llm.model ?? fallback;
}

const iso = (at: number): string => new Date(at).toISOString();

export const agentV2View = (job: Job, { github_web_url, model }: AgentV2Surroundings): AgentV2View => ({
  id: job.id,
  status: agentV2Status(job),
  source: { repository: `${github_web_url}/${fullName(job.repository)}`, ref: job.branch },
  model: modelOf(job, model),
  prLink: job.pull_request?.url ?? null,
  createdAt: iso(job.created_at),
  archivedAt: job.archived_at === null ? null : iso(job.archived_at),
});
