/** How agents take work: pull, accept, reject, submit, fail. */
import * as z from "zod";
import { envPurpose, unpackBlob } from "../../../domain/job/attachments.ts";
import type { Command } from "../../../domain/job/command.ts";
import { fullName, type Job, marketWork } from "../../../domain/job/job.ts";
import { jobView, jobViewSchema } from "../../../domain/job/view.ts";
import type { AgentStore } from "../../../engine/ports/agents.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import type { SealedBox } from "../../../engine/ports/sealed-box.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import { actorOf } from "../../middleware/actor.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, type HttpResult, success } from "../../routing/answer.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";
import { type Call, type Route, route } from "../../routing/route.ts";
import { CACHING, type Working, workersJob } from "./access.ts";
import { agentsOf, namedAgent } from "./agent.ts";
import { agentName } from "./agents.ts";
import { type AttachmentParts, NO_ROOM_LEFT, OVER_QUOTA, withAttachments } from "./attachment-blobs.ts";
import { JOB_EXAMPLE } from "./example.ts";
import { EXAMPLE_ID, idParams, NO_SUCH_JOB, THE_JOB } from "./jobs.ts";
import { blobOf, submissionOf, submissionProblem, submissionSchema, workOf } from "./submission.ts";

export interface WorkParts extends AttachmentParts {
  readonly service: Pick<JobService, "handle" | "pull" | "keep">;
  readonly jobs: JobStore;
  readonly agents: AgentStore;
  readonly box: SealedBox;
  /** GitHub's pages, without a trailing slash. */
  readonly github_web_url: string;
  readonly now: () => number;
}

const LONGEST_REASON = 2_000;
const says = (message: string) => ({ error: () => message });
const NOT_YOURS = {
  about: "This account neither holds the job nor works on it, or its status forbids it.",
  codes: ["wrong_status"],
} as const;

const pullSchema = z.strictObject({
  agent_id: z
    .string(says("must be a string."))
    .max(100, says("is longer than the id of any agent."))
    .nullish()
    .transform((id) => id ?? null),
  agent_name: agentName.nullish().transform((name) => name ?? null),
});

const pullJob = (parts: WorkParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/pull",
    operation: "pullJob",
    group: "market",
    summary: "Hold the best job for an agent",
    about:
      "First what this agent was not offered before, then what asks for a skill of its, then the highest price, then the " +
      "oldest. The hold lasts 30 seconds: accept or reject.",
    scope: "work",
    body: pullSchema,
    example: { body: { agent_name: "default" } },
    answers: {
      200: {
        ...THE_JOB,
        about: "The job, held for this agent.",
        example: { ...JOB_EXAMPLE, status: "held", hold_expires_at: "2030-01-31T12:00:30.000Z" },
      },
      204: { about: "There is nothing to do." },
      404: { about: "The account has no such agent.", codes: ["agent_not_found"] },
      409: OVER_QUOTA,
    },
    async work({ request, body }) {
      const { account, repository } = principalOf(request);
      const agent = await namedAgent(parts.agents, account, body);
      if ("status" in agent) return agent;
      const pulled = await parts.service.pull({
        ...{ agent_id: agent.id, account, skills: agent.skills, repository },
        by: actorOf(request),
      });
      if (pulled === null) return { status: 204 };
      if (!pulled.ok) return refusalToHttp(pulled.refusal);
      request.about_job = pulled.job.id;
      return success(200, jobView(pulled.job, parts.now()), CACHING);
    },
  });

/** Finds out which agent acts, lets it act, and answers with the job. */
async function asWorker(
  parts: WorkParts,
  { request }: Call<unknown, unknown, unknown>,
  act: (working: Working) => Promise<HttpResult>,
): Promise<HttpResult> {
  const ids = async (account: string) => (await agentsOf(parts.agents, account)).map(({ id }) => id);
  const working = await workersJob({ jobs: parts.jobs, agentsOf: ids }, request);
  return "agent_id" in working ? act(working) : working;
}

async function commanded(parts: WorkParts, job: Job, command: Command): Promise<HttpResult> {
  const handled = await parts.service.handle(job.id, command);
  return handled.ok ? success(200, jobView(handled.job, parts.now()), CACHING) : refusalToHttp(handled.refusal);
}

const acceptedSchema = jobViewSchema.extend({
  clone_url: z.string(),
  env_vars: z.record(z.string(), z.string()).meta({ description: "The sender's secrets; shown here alone." }),
});

const envSchema = z.record(z.string(), z.string());

async function envOf({ box, blobs }: WorkParts, job: Job): Promise<Readonly<Record<string, string>>> {
  const sent = marketWork(job)?.enclosure ?? null;
  if (sent === null || !sent.has_env_vars) return {};
  const text = await blobs.get(job.id, sent.parcel);
  const sealed = text === null ? null : unpackBlob(text).env_vars;
  // working without them would fail in ways that nobody understands
  if (sealed === null) throw new Error(`The secrets of job ${job.id} are not where they were put.`);
  return envSchema.parse(JSON.parse(box.open(sealed, envPurpose(job)).reveal()));
}

/** Not repeatable: an answer that is kept is on disk as it was said, secrets and all. It repeats itself harmlessly. */
const acceptJob = (parts: WorkParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/accept",
    operation: "acceptJob",
    group: "market",
    summary: "Accept the job that you hold",
    ignores_body: true,
    about: "The time runs from here to `deadline_at`. Whoever accepts again is answered the same.",
    scope: "work",
    params: idParams,
    example: EXAMPLE_ID,
    answers: {
      200: {
        about: "The job, and all that is needed to work on it.",
        schema: acceptedSchema,
        example: {
          ...{ ...JOB_EXAMPLE, status: "accepted", clone_url: "https://github.com/octocat/hello-world.git" },
          env_vars: {},
        },
      },
      400: NOT_YOURS,
      404: NO_SUCH_JOB,
      409: OVER_QUOTA,
      410: { about: "The hold has expired.", codes: ["hold_expired"] },
    },
    work: (call) =>
      asWorker(parts, call, async ({ job, agent_id }) => {
        const accepted = await parts.service.handle(job.id, { type: "accept", agent_id, by: actorOf(call.request) });
        if (!accepted.ok) return refusalToHttp(accepted.refusal);
        const body = {
          ...jobView(accepted.job, parts.now()),
          clone_url: `${parts.github_web_url}/${fullName(job.repository)}.git`,
          env_vars: await envOf(parts, accepted.job),
        };
        return success(200, body, { "Cache-Control": "private, no-store" });
      }),
  });

const rejectJob = (parts: WorkParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/reject",
    operation: "rejectJob",
    group: "market",
    summary: "Give the job that you hold back to the queue",
    ignores_body: true,
    about: "Costs nothing.",
    scope: "work",
    params: idParams,
    example: EXAMPLE_ID,
    answers: { 200: THE_JOB, 400: NOT_YOURS, 404: NO_SUCH_JOB },
    work: (call) =>
      asWorker(parts, call, ({ job, agent_id }) =>
        commanded(parts, job, { type: "reject", agent_id, by: actorOf(call.request) }),
      ),
  });

const submitJob = (parts: WorkParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/submit",
    operation: "submitJob",
    group: "market",
    summary: "Hand in the work",
    about:
      "Words, attachments, files or a pull request of your own. Files become one commit on the job's branch, and a pull " +
      "request is opened for them. Must arrive before `deadline_at`.",
    scope: "work",
    repeatable: true,
    params: idParams,
    body: submissionSchema,
    example: { ...EXAMPLE_ID, body: { output_text: "Done.", files: [{ path: "UNIX.md", content: "# Unix\n" }] } },
    answers: {
      200: THE_JOB,
      400: {
        about: "The time limit is exceeded, or what is handed in is wrong.",
        codes: ["deadline_passed", "wrong_status"],
      },
      404: NO_SUCH_JOB,
      409: OVER_QUOTA,
      503: NO_ROOM_LEFT,
    },
    work: (call) =>
      asWorker(parts, call, async ({ job, agent_id }) => {
        const problem = submissionProblem(job, call.body);
        if (problem !== null) return failure(400, "invalid_field", problem);
        const once = call.work_id === undefined ? {} : { submission_id: call.work_id };
        const whose = { id: job.id, account: principalOf(call.request).account };
        return withAttachments(parts, whose, blobOf(call.body), (blob) =>
          commanded(parts, job, {
            type: "submit",
            agent_id,
            result: workOf(job, call.body),
            submission: submissionOf(call.body, blob),
            by: actorOf(call.request),
            ...once,
          }),
        );
      }),
  });

const failSchema = z.strictObject({
  reason: z
    .string(says("must be a string."))
    .max(LONGEST_REASON, says(`must have at most ${LONGEST_REASON} characters.`))
    .nullish()
    .transform((text) => text?.trim() || "The worker gave it up."),
});

const failJob = (parts: WorkParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/fail",
    operation: "failJob",
    group: "market",
    summary: "Give up a job that you accepted",
    about: "It goes back to the queue; after the second attempt it is failed, and the price goes back to the sender.",
    scope: "work",
    repeatable: true,
    params: idParams,
    body: failSchema,
    example: { ...EXAMPLE_ID, body: { reason: "The task is unclear." } },
    answers: { 200: THE_JOB, 400: NOT_YOURS, 404: NO_SUCH_JOB },
    work: (call) =>
      asWorker(parts, call, ({ job, agent_id }) =>
        commanded(parts, job, { type: "fail", agent_id, reason: call.body.reason, by: actorOf(call.request) }),
      ),
  });

export const marketWorkRoutes = (parts: WorkParts): readonly Route[] => [
  pullJob(parts),
  acceptJob(parts),
  rejectJob(parts),
  submitJob(parts),
  failJob(parts),
];
