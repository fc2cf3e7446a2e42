/**
 * Finds the job that a market path names if the caller may read it, command it or work on it, by the rules of
 * `src/domain/access.ts`; otherwise returns the refusal.
 */
import type { Request } from "express";
import { canCommand, canReach, canRead, claimingAgent } from "../../../domain/access.ts";
import { asJobId, type Job, marketWork } from "../../../domain/job/job.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, type HttpResult } from "../../routing/answer.ts";
import { defaultAgentId } from "./agent.ts";

export const NO_JOB = failure(404, "not_found", "There is no such job, or this key may not see it.");
export const NOT_THE_SENDER = failure(403, "forbidden", "Only the sender of a job can do this.");

/** What is answered changes at any time and belongs to the caller alone. */
export const CACHING = { "Cache-Control": "private, no-cache" };

interface Reading {
  readonly jobs: JobStore;
  readonly now: () => number;
}

async function named(jobs: JobStore, request: Request): Promise<Job | null> {
  const given = request.params.id;
  const id = typeof given === "string" ? asJobId(given) : null;
  return id === null ? null : ((await jobs.load(id))?.job ?? null);
}

/** The job in the path, for who may read it. */
export async function readableJob({ jobs, now }: Reading, request: Request): Promise<Job | HttpResult> {
  const job = await named(jobs, request);
  return job !== null && canRead(principalOf(request), job, now()) ? job : NO_JOB;
}

/** The job in the path, for its sender. Whoever may read it is told why not, others are told that there is none. */
export async function senderJob(parts: Reading, request: Request): Promise<Job | HttpResult> {
  const job = await readableJob(parts, request);
  return "id" in job && !canCommand(principalOf(request), job) ? NOT_THE_SENDER : job;
}

export interface Working {
  readonly job: Job;
  /** The account's agent that holds the job or works on it, or was the last that did. */
  readonly agent_id: string;
}

/**
 * The job in the path, for an agent of the account. An account has one hand on a job at most, so the job itself says
 * which agent is meant. Accounts that had nothing to do with it are answered that there is none.
 */
export async function workersJob(
  { jobs, agentsOf }: { readonly jobs: JobStore; readonly agentsOf: (account: string) => Promise<readonly string[]> },
  request: Request,
): Promise<Working | HttpResult> {
  const principal = principalOf(request);
  const job = await named(jobs, request);
  if (job === null || !canReach(principal, job.repository)) return NO_JOB;
  const claiming = claimingAgent(principal, job);
  if (claiming !== null) return { job, agent_id: claiming };
  const own = new Set(await agentsOf(principal.account));
  const earlier = marketWork(job)?.presented_to_agents.findLast((agent) => own.has(agent));
  if (earlier !== undefined) return { job, agent_id: earlier };
  return canCommand(principal, job) ? { job, agent_id: defaultAgentId(principal.account) } : NO_JOB;
}
