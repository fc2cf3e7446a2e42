/**
 * The calls of the agent v2 dialect: translate requests to commands and answer with the job. Creating does not wait for
 * GitHub. What happens to a job is decided elsewhere.
 */
import type { Request } from "express";
import { z } from "zod";
import type { Door } from "../engine/door.ts";
import type { JobStore } from "../engine/ports.ts";
import type { Actor, Command } from "../job/command.ts";
import { asJobId, fullName, type Job } from "../job/job.ts";
import type { RefusalCode } from "../job/refusal.ts";
import { agentV2View } from "./agent-v2-view.ts";
import { type Project, projectOf } from "./agent-v2-project.ts";
import { type Answer, failure, success } from "./answer.ts";
import { type Principal, principalOf, sees } from "./auth.ts";
import { checked } from "./body.ts";
import type { RepeatableRoute } from "./idempotency.ts";
import { refused } from "./refused.ts";
import { MAX_TASK_LENGTH, restDraft } from "./rest-draft.ts";
import { type RepositoryParts, whichRepository } from "./which-repository.ts";

export interface AgentV2Parts extends RepositoryParts {
  readonly door: Pick<Door, "create" | "handle">;
  readonly jobs: JobStore;
  /** GitHub's pages, without a trailing slash. */
  readonly github_web_url: string;
  /** Where this server is reached from outside; null: not known, so that addresses begin with their path. */
  readonly public_url: string | null;
  /** Of jobs whose repository names none. */
  readonly default_model: string;
}

type Route = (request: Request) => Promise<Answer>;

/** A status that forbids what was asked is a conflict here; the market's callers expect 400. */
const CONFLICTS: Readonly<Partial<Record<RefusalCode, number>>> = { wrong_status: 409, invalid: 409 };

const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;

const says = (message: string) => ({ error: () => message });

const promptSchema = z.object({
  prompt: z
    .string(says("must be a string."))
    .max(MAX_TASK_LENGTH, says(`must have at most ${MAX_TASK_LENGTH} characters.`))
    .refine((value) => value.trim() !== "", says("is empty; say what the agent is to do.")),
});

const PAGE_SENTENCE = `must be a whole number from 1 to ${MAX_PAGE}.`;
const pageSchema = z.object({
  limit: z
    .string(says(PAGE_SENTENCE))
    .regex(/^\d{1,3}$/, says(PAGE_SENTENCE))
    .transform(Number)
    .refine((value) => value >= 1 && value <= MAX_PAGE, says(PAGE_SENTENCE))
    .default(DEFAULT_PAGE),
  cursor: z.string(says("must be given once.")).max(200, says("is none of ours; begin without one.")).optional(),
});

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

const actorOf = (principal: Principal): Actor => ({ account: principal.account, login: null });

export const createAgentJob =
  (parts: AgentV2Parts): RepeatableRoute =>
  async (request, work_id) => {
    const body = checked(promptSchema, request.body);
    if ("answer" in body) return body.answer;
    const [principal, project] = [principalOf(request), projectOf(request)];
    const repository = await whichRepository(parts, principal, project.name);
    if ("answer" in repository) return repository.answer;
    const asked = { dialect: "agent-v2", task: body.value.prompt, provider: null, model: null } as const;
    const created = await parts.door.create(restDraft(principal, repository.value, asked), work_id);
    if (!created.ok) return refused(created.refusal, CONFLICTS);
    const location = addressOf(parts, project, `job/${created.job.id}`);
    return success(201, viewIn(parts, project, created.job), { ...CACHING, Location: location });
  };

/** The job in the path, when it is one of this project that the caller may see. */
async function jobOf(parts: AgentV2Parts, request: Request): Promise<Job | null> {
  const given = request.params.id;
  const id = typeof given === "string" ? asJobId(given) : null;
  const stored = id === null ? null : await parts.jobs.load(id);
  if (stored === null || !sees(principalOf(request), stored.job)) return null;
  const here = fullName(stored.job.repository).toLowerCase() === projectOf(request).name.toLowerCase();
  return here ? stored.job : null;
}

export const getAgentJob =
  (parts: AgentV2Parts): Route =>
  async (request) => {
    const job = await jobOf(parts, request);
    return job === null ? NO_JOB : success(200, viewIn(parts, projectOf(request), job), CACHING);
  };

async function handled(parts: AgentV2Parts, request: Request, command: Command): Promise<Answer> {
  const job = await jobOf(parts, request);
  if (job === null) return NO_JOB;
  const answer = await parts.door.handle(job.id, command);
  if (!answer.ok) return refused(answer.refusal, CONFLICTS);
  return success(200, viewIn(parts, projectOf(request), answer.job), CACHING);
}

export const messageAgentJob =
  (parts: AgentV2Parts): RepeatableRoute =>
  async (request, work_id) => {
    const body = checked(promptSchema, request.body);
    if ("answer" in body) return body.answer;
    const [text, by] = [body.value.prompt.trim(), actorOf(principalOf(request))];
    const once = work_id === undefined ? {} : { message_id: work_id };
    return handled(parts, request, { type: "message", text, by, comment_id: null, ...once });
  };

export const cancelAgentJob =
  (parts: AgentV2Parts): Route =>
  (request) =>
    handled(parts, request, { type: "cancel", by: actorOf(principalOf(request)) });

export const archiveAgentJob =
  (parts: AgentV2Parts): Route =>
  (request) =>
    handled(parts, request, { type: "archive" });

export const listAgentJobs =
  (parts: AgentV2Parts): Route =>
  async (request) => {
    const page = checked(pageSchema, request.query);
    if ("answer" in page) return page.answer;
    const { limit, cursor } = page.value;
    const [{ account, scopes }, project] = [principalOf(request), projectOf(request)];
    const found = await parts.jobs.list({
      repository: project.name,
      limit,
      ...(scopes.includes("admin") ? {} : { account }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const jobs = found.jobs.map((job) => viewIn(parts, project, job));
    const query = new URLSearchParams({ limit: String(limit), cursor: found.cursor ?? "" });
    const link = `<${addressOf(parts, project, `jobs?${query}`)}>; rel="next"`;
    return success(200, { jobs, nextCursor: found.cursor }, { ...CACHING, ...(found.cursor ? { Link: link } : {}) });
  };
