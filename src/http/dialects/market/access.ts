/**
 * Who may see and do what with a job of the market: its sender, whoever holds it and whoever works on it. The one place
 * where that is decided for these routes; what follows from what is done is decided in the core.
 */
import type { Request } from "express";
import { accountNamed } from "../../../domain/job/account.ts";
import { asJobId, type Job, statusAt } from "../../../domain/job/job.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import { canReach, canRead, type Principal, principalOf } from "../../middleware/auth.ts";
import { failure, type HttpResult } from "../../routing/answer.ts";
import { defaultAgentId } from "./agent.ts";

export const NO_JOB = failure(404, "not_found", "There is no such job, or this key may not see it.");
export const NOT_THE_SENDER = failure(403, "forbidden", "Only the sender of a job can do this.");

/** What is answered changes at any time and belongs to the caller alone. */
export const CACHING = { "Cache-Control": "private, no-cache" };

export const isAdmin = ({ scopes }: Principal): boolean => scopes.includes("admin");

const isMine = ({ account }: Principal, of: { readonly account: string } | null): boolean =>
  of !== null && accountNamed(of.account) === account;

/** The sender; `sees` says the same for every other dialect. */
export const isSender = canRead;

const isHolder = (principal: Principal, job: Job, now: number): boolean =>
  statusAt(job, now) === "held" && isMine(principal, job.hold);

export const canReadJob = (principal: Principal, job: Job, now: number): boolean =>
  canRead(principal, job) ||
  (canReach(principal, job.repository) && (isHolder(principal, job, now) || isMine(principal, job.worker)));

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
  return job !== null && canReadJob(principalOf(request), job, now()) ? job : NO_JOB;
}

/** The job in the path, for its sender. Whoever may read it is told why not, others are told that there is none. */
export async function senderJob(parts: Reading, request: Request): Promise<Job | HttpResult> {
  const job = await readableJob(parts, request);
  return "id" in job && !isSender(principalOf(request), job) ? NOT_THE_SENDER : job;
}

export interface Working {
  readonly job: Job;
  /** The account's agent that holds the job or works on it, or was the last that did. */
  readonly agent_id: string;
}

/**
 * The job in the path, for an agent of the account. An account has one hand on a job at most, so the job itself says
 * which agent is meant. Accounts that never had a hand on it are told that there is none.
 */
export async function workersJob(
  { jobs, agentsOf }: { readonly jobs: JobStore; readonly agentsOf: (account: string) => Promise<readonly string[]> },
  request: Request,
): Promise<Working | HttpResult> {
  const principal = principalOf(request);
  const job = await named(jobs, request);
  if (job === null || !canReach(principal, job.repository)) return NO_JOB;
  for (const claim of [job.hold, job.worker])
    if (claim !== null && isMine(principal, claim)) return { job, agent_id: claim.agent_id };
  const own = new Set(await agentsOf(principal.account));
  const earlier = job.presented_to_agents.findLast((agent) => own.has(agent));
  if (earlier !== undefined) return { job, agent_id: earlier };
  return isSender(principal, job) ? { job, agent_id: defaultAgentId(principal.account) } : NO_JOB;
}
