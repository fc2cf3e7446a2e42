/** Formats a job for the agent v2 dialect, from the stored job and a few facts about the server. Pure. */
import * as z from "zod";
import { actionsWork, fullName, type Job, NOT_REPORTED, questionOf } from "../../../domain/job/job.ts";
import { outcomeField, outcomeOf, questionField } from "../../../domain/job/outcome.ts";
import { waitsInLine, waitsInLineSchema } from "../../../domain/job/view.ts";

export const agentV2ViewSchema = z
  .object({
    id: z.string(),
    status: z.enum(["active", "completed", "failed", "archived"]),
    outcome: outcomeField,
    question: questionField,
    waitsInLine: waitsInLineSchema,
    source: z.object({
      repository: z.string().meta({ description: "The repository's address." }),
      ref: z.string().meta({ description: "The job's branch." }),
    }),
    model: z.string(),
    prLink: z.string().nullable().meta({ description: "Null until there is a pull request." }),
    createdAt: z.iso.datetime(),
    archivedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "AgentJob" });

export type AgentV2View = z.infer<typeof agentV2ViewSchema>;
export type AgentV2Status = AgentV2View["status"];

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
    // a poller has nothing to wait for: `outcome` says `question`
    case "waiting_for_user":
    case "verified":
      return "completed";
    case "failed":
    case "cancelled":
      return "failed";
  }
}

/** The model that did the work, else the one that was or will be asked to. */
function modelOf(job: Job, fallback: string): string {
  const { result, choices, settings } = job;
  if (result !== null && result.model !== NOT_REPORTED) return result.model;
  return actionsWork(job)?.llm?.model ?? choices.model ?? settings?.llm.model ?? fallback;
}

const iso = (at: number): string => new Date(at).toISOString();

export const agentV2View = (job: Job, { github_web_url, model }: AgentV2Surroundings): AgentV2View => ({
  id: job.id,
  status: agentV2Status(job),
  outcome: outcomeOf(job),
  question: questionOf(job),
  waitsInLine: waitsInLine(job),
  source: { repository: `${github_web_url}/${fullName(job.repository)}`, ref: job.branch },
  model: modelOf(job, model),
  prLink: job.pull_request?.url ?? null,
  createdAt: iso(job.created_at),
  archivedAt: job.archived_at === null ? null : iso(job.archived_at),
});
