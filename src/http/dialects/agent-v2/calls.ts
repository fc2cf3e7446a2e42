/**
 * The calls of the agent v2 dialect: translates requests to commands and answers with the job. Creating does not wait
 * for GitHub.
 */
import type { Request } from "express";
import type { z } from "zod";
import { canReadAsSender, readableJobs } from "../../../domain/access.ts";
import type { Command } from "../../../domain/job/command.ts";
import { asJobId, fullName, type Job } from "../../../domain/job/job.ts";
import type { RefusalCode } from "../../../domain/job/refusal.ts";
import type { Recorder } from "../../../engine/ports/audit.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import type { GitHubClient } from "../../../engine/ports/github.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import type { Log } from "../../../engine/ports/log.ts";
import type { RepositoryStore } from "../../../engine/ports/repositories.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import type { Webhooks } from "../../../engine/ports/webhooks.ts";
import { actorOf } from "../../middleware/actor.ts";
import { principalOf } from "../../middleware/auth.ts";
import { gitHubRateLimited } from "../../middleware/github-rate-limit.ts";
import { failure, type HttpResult, success } from "../../routing/answer.ts";
import type { ChosenOverRest } from "../../routing/choice-fields.ts";
import { withPosition, withPositions } from "../../routing/line-positions.ts";
import { nextLink, type pageSchema } from "../../routing/paging.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";
import type { Call } from "../../routing/route.ts";
import { deniedOverBudget } from "../over-budget.ts";
import { restDraft } from "../rest-draft.ts";
import { type RepositoryParts, whichRepository } from "../which-repository.ts";
import { type Project, projectOf } from "./project.ts";
import { agentV2View } from "./view.ts";

export interface AgentV2Parts extends RepositoryParts {
  readonly githubClient: Pick<GitHubClient, "installation" | "repository" | "repositoryById" | "pushWait">;
  readonly repositories: Pick<RepositoryStore, "get" | "byId">;
  readonly service: Pick<JobService, "create" | "handle" | "observe">;
  readonly jobs: JobStore;
  readonly webhooks: Pick<Webhooks, "validateTarget" | "ownOf">;
  readonly record: Recorder;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
  /** GitHub's pages, without a trailing slash. */
  readonly github_web_url: string;
  /** Where this server is reached from outside; null: not known, so that addresses begin with their path. */
  readonly public_url: string | null;
  /** Of jobs whose repository names none. */
  readonly default_model: string;
}

/** As jobs are stored. */
export const NAME = "agent-v2";

type Asked<Query = undefined, Body = undefined> = Call<unknown, Query, Body>;
type Prompt = { readonly prompt: string };
type Creating = Prompt & ChosenOverRest & { readonly callback_url: string | null };

/** A status that forbids what was asked is a conflict here; the market's callers expect 400. */
const CONFLICTS: Readonly<Partial<Record<RefusalCode, number>>> = { wrong_status: 409, invalid: 409 };

const NO_JOB = failure(404, "not_found", "There is no such job in this project, or this key may not see it.");

/** What is answered changes at any time and belongs to the caller alone. */
const CACHING = { "Cache-Control": "private, no-cache" };

const viewIn = (parts: AgentV2Parts, { known }: Project, job: Job) =>
  agentV2View(job, {
    github_web_url: parts.github_web_url,
    model: known?.settings?.llm.model ?? parts.default_model,
  });

const addressOf = (parts: AgentV2Parts, { id }: Project, rest: string): string =>
  `${parts.public_url ?? ""}/v2/agent/${encodeURIComponent(id)}/${rest}`;

export const createAgentJob =
  (parts: AgentV2Parts) =>
  async ({ request, body, work_id }: Asked<undefined, Creating>): Promise<HttpResult> => {
    const { prompt: task, ...chosen } = body;
    const [principal, project] = [principalOf(request), projectOf(request)];
    const repository = await whichRepository(parts, principal, project.name);
    if ("answer" in repository) return repository.answer;
    const limited = gitHubRateLimited(parts.githubClient, repository.value);
    if (limited !== null) return limited;
    const denied = deniedOverBudget(parts, request, repository.value, chosen.over_budget);
    if (denied !== null) return denied;
    if (chosen.callback_url !== null) await parts.webhooks.ownOf(principal.account);
    const asked = { dialect: NAME, task, provider: null, model: null, ...chosen };
    const created = await parts.service.create(
      restDraft(principal, repository.value, asked),
      work_id,
      actorOf(request),
    );
    if (!created.ok) return refusalToHttp(created.refusal, CONFLICTS);
    request.about_job = created.job.id;
    const location = addressOf(parts, project, `job/${created.job.id}`);
    return success(201, viewIn(parts, project, created.job), { ...CACHING, Location: location });
  };

/** The job in the path, when it is one of this project that the caller may see. */
async function jobOf(parts: AgentV2Parts, request: Request): Promise<Job | null> {
  const given = request.params.id;
  const id = typeof given === "string" ? asJobId(given) : null;
  const stored = id === null ? null : await parts.jobs.load(id);
  if (stored === null || !canReadAsSender(principalOf(request), stored.job)) return null;
  const here = fullName(stored.job.repository).toLowerCase() === projectOf(request).name.toLowerCase();
  return here ? stored.job : null;
}

export const getAgentJob =
  (parts: AgentV2Parts) =>
  async ({ request }: Asked): Promise<HttpResult> => {
    const job = await jobOf(parts, request);
    if (job === null) return NO_JOB;
    return success(200, viewIn(parts, projectOf(request), await withPosition(parts.jobs, job)), CACHING);
  };

async function handled(parts: AgentV2Parts, request: Request, command: Command): Promise<HttpResult> {
  const job = await jobOf(parts, request);
  if (job === null) return NO_JOB;
  const answer = await parts.service.handle(job.id, command);
  if (!answer.ok) return refusalToHttp(answer.refusal, CONFLICTS);
  return success(200, viewIn(parts, projectOf(request), answer.job), CACHING);
}

export const messageAgentJob =
  (parts: AgentV2Parts) =>
  ({ request, body, work_id }: Asked<undefined, Prompt>): Promise<HttpResult> => {
    const [text, by] = [body.prompt.trim(), actorOf(request)];
    const once = work_id === undefined ? {} : { message_id: work_id };
    return handled(parts, request, { type: "message", text, by, comment_id: null, ...once });
  };

export const cancelAgentJob =
  (parts: AgentV2Parts) =>
  ({ request }: Asked): Promise<HttpResult> =>
    handled(parts, request, { type: "cancel", by: actorOf(request) });

export const archiveAgentJob =
  (parts: AgentV2Parts) =>
  ({ request }: Asked): Promise<HttpResult> =>
    handled(parts, request, { type: "archive", by: actorOf(request) });

export const listAgentJobs =
  (parts: AgentV2Parts) =>
  async ({ request, query }: Asked<z.infer<typeof pageSchema>>): Promise<HttpResult> => {
    const { limit, cursor } = query;
    const project = projectOf(request);
    const found = await parts.jobs.list({
      ...readableJobs(principalOf(request)),
      repository: project.name,
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const jobs = (await withPositions(parts.jobs, found.jobs)).map((job) => viewIn(parts, project, job));
    const next = nextLink(addressOf(parts, project, "jobs"), { limit: String(limit) }, found.cursor);
    return success(200, { jobs, nextCursor: found.cursor }, { ...CACHING, ...next });
  };
