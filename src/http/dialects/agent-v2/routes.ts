/** The routes of the agent v2 dialect: paths, schemas and limits. */
import type { RequestHandler } from "express";
import * as z from "zod";
import { DEFAULT_MODEL } from "../../../contracts/models.ts";
import { isBlank } from "../../../text/normalise.ts";
import { callbackField } from "../../admin/webhook-target.ts";
import { LIMITED } from "../../middleware/github-rate-limit.ts";
import { projectLimit } from "../../middleware/rate-limit.ts";
import { choiceFields } from "../../routing/choice-fields.ts";
import type { ErrorCode } from "../../routing/error-codes.ts";
import { MAX_TASK_LENGTH, NOT_BLANK } from "../../routing/limits.ts";
import { pageSchema } from "../../routing/paging.ts";
import { type Route, route } from "../../routing/route.ts";
import type { Answers } from "../../routing/shared-answers.ts";
import * as agent from "./calls.ts";
import { projectOf, withProject } from "./project.ts";
import { createRepositoryByNumber } from "./repository-by-number.ts";
import { agentV2ViewSchema } from "./view.ts";

const ROOT = "/v2/agent/{projectId}";

const says = (message: string) => ({ error: () => message });

const promptSchema = z.strictObject({
  prompt: z
    .string(says("must be a string."))
    .max(MAX_TASK_LENGTH, says(`must have at most ${MAX_TASK_LENGTH} characters.`))
    .refine((value) => !isBlank(value), says("is empty; say what the agent is to do."))
    .meta({ pattern: NOT_BLANK }),
});

const projectParams = z.object({
  projectId: z
    .string()
    .meta({ description: "The repository's numeric id, or its name as `owner/name`, with its slash encoded or not." }),
});
const jobParams = projectParams.extend({
  id: z.string().meta({ description: "As it was answered when the job was made." }),
});

const EXAMPLE = {
  id: "ab12cd34",
  status: "active",
  outcome: null,
  question: null,
  waitsInLine: null,
  source: { repository: "https://github.com/octocat/hello-world", ref: "job/ab12cd34" },
  model: DEFAULT_MODEL,
  prLink: null,
  createdAt: "2030-01-31T12:00:00.000Z",
  archivedAt: null,
};
/** As it reads once the project in the path is decoded. */
const PROJECT = { projectId: "octocat/hello-world" };
const JOB = { ...PROJECT, id: "ab12cd34" };

const asNow = { about: "The job as it is now.", schema: agentV2ViewSchema, example: EXAMPLE };
const REFUSED_PROJECT: Answers = {
  403: { about: "The key is bound to another repository, or lacks the scope.", codes: ["forbidden"] },
  404: { about: "Journeyman is installed on no repository of this numeric id.", codes: ["not_found"] },
  429: {
    about: "Too many, or too many numeric ids that are unknown here.",
    codes: ["rate_limited"],
    headers: { "Retry-After": "In how many seconds to come again." },
  },
  502: { about: "GitHub cannot be asked which repository this is.", codes: ["github_unavailable"] },
};
const REFUSED_JOB: Answers = {
  ...REFUSED_PROJECT,
  404: { about: "No such job or project, or not one that this key may see.", codes: ["not_found"] },
};
const conflict = (...codes: readonly ErrorCode[]): Answers => ({
  409: { about: "How the job stands forbids it; the sentence says why.", codes },
});

const listSchema = z
  .object({
    jobs: z.array(agentV2ViewSchema),
    nextCursor: z.string().nullable().meta({ description: "For the next page; null on the last." }),
  })
  .meta({ id: "AgentJobs" });

const starting = (parts: agent.AgentV2Parts, guards: (what?: "creates" | "messages") => RequestHandler[]): Route[] => [
  route({
    method: "post",
    path: `${ROOT}/job`,
    operation: "createAgentJob",
    group: "agent v2",
    summary: "Create a job",
    about: "The answer does not wait for GitHub. 100 an hour for each project.",
    scope: "write",
    repeatable: true,
    guards: guards("creates"),
    params: projectParams,
    body: promptSchema.extend({ ...choiceFields, callback_url: callbackField(parts.webhooks) }),
    example: { params: PROJECT, body: { prompt: "create PROMPT.md that says hello" } },
    answers: {
      201: { ...asNow, about: "The job is created.", headers: { Location: "Where to ask for the job." } },
      ...REFUSED_PROJECT,
      ...conflict("over_quota"),
      422: { about: "The App is not installed there.", codes: ["not_installed"] },
      429: LIMITED,
    },
    work: agent.createAgentJob(parts),
  }),
  route({
    method: "post",
    path: `${ROOT}/job/{id}/message`,
    operation: "messageAgentJob",
    group: "agent v2",
    summary: "Send a message",
    about: "Opens a further round on the same branch; while one is under way, the next takes it up. 100 an hour.",
    scope: "write",
    repeatable: true,
    guards: guards("messages"),
    params: jobParams,
    body: promptSchema,
    example: { params: JOB, body: { prompt: "append bye to PROMPT.md" } },
    answers: {
      200: asNow,
      ...REFUSED_JOB,
      ...conflict("wrong_status", "already_merged", "already_archived", "invalid", "over_quota"),
    },
    work: agent.messageAgentJob(parts),
  }),
];

const asking = (parts: agent.AgentV2Parts, guards: readonly RequestHandler[]): Route[] => [
  route({
    method: "get",
    path: `${ROOT}/jobs`,
    operation: "listAgentJobs",
    group: "agent v2",
    summary: "List the jobs",
    about: "Newest first.",
    scope: "read",
    guards,
    params: projectParams,
    query: pageSchema,
    example: { params: PROJECT },
    answers: {
      200: {
        about: "A page of jobs.",
        schema: listSchema,
        example: { jobs: [EXAMPLE], nextCursor: null },
        headers: { Link: "The next page, where there is one." },
      },
      ...REFUSED_PROJECT,
    },
    work: agent.listAgentJobs(parts),
  }),
  route({
    method: "get",
    path: `${ROOT}/job/{id}`,
    operation: "getAgentJob",
    group: "agent v2",
    summary: "Read a job",
    about: "Costs no call to GitHub: ask until `status` is no longer `active`.",
    scope: "read",
    guards,
    params: jobParams,
    example: { params: JOB },
    answers: { 200: asNow, ...REFUSED_JOB },
    work: agent.getAgentJob(parts),
  }),
];

const ending = (parts: agent.AgentV2Parts, guards: readonly RequestHandler[]): Route[] => {
  const shared = {
    method: "post",
    group: "agent v2",
    scope: "write",
    repeatable: true,
    ignores_body: true,
    params: jobParams,
  } as const;
  return [
    route({
      ...shared,
      path: `${ROOT}/job/{id}/cancel`,
      operation: "cancelAgentJob",
      summary: "Cancel a job",
      guards,
      example: { params: JOB },
      answers: { 200: asNow, ...REFUSED_JOB },
      work: agent.cancelAgentJob(parts),
    }),
    route({
      ...shared,
      path: `${ROOT}/job/{id}/archive`,
      operation: "archiveAgentJob",
      summary: "Archive a job that is over",
      guards,
      example: { params: JOB },
      answers: { 200: asNow, ...REFUSED_JOB, ...conflict("wrong_status") },
      work: agent.archiveAgentJob(parts),
    }),
  ];
};

export function agentV2Routes(parts: agent.AgentV2Parts): readonly Route[] {
  const project = withProject({
    repositories: parts.repositories,
    byNumber: createRepositoryByNumber(parts),
    log: parts.log,
  });
  const limited = (what?: "creates" | "messages"): RequestHandler[] =>
    what === undefined ? [project] : [project, projectLimit(what, projectOf, parts.clock.now)];
  return [...starting(parts, limited), ...asking(parts, [project]), ...ending(parts, [project])];
}
