/**
 * `POST /api/create-job`: translates the request to a command and answers in the seed's words once the branch is on
 * GitHub. What happens to a job is decided elsewhere.
 */
import { z } from "zod";
import type { Door } from "../engine/door.ts";
import type { Webhooks } from "../engine/outgoing.ts";
import type { Desk, Log, StoredJob } from "../engine/ports.ts";
import type { Actor } from "../job/command.ts";
import { isFinal, type JobId } from "../job/job.ts";
import { type Answer, failure, success } from "./answer.ts";
import { actorOf } from "./actor.ts";
import { principalOf } from "./auth.ts";
import { MAX_TASK_LENGTH, NOT_BLANK } from "./limits.ts";
import { OVER_QUOTA } from "./market-parcel.ts";
import { refused } from "./refused.ts";
import { repositoryField } from "./new-key.ts";
import { type Route, route } from "./route.ts";
import { restDraft } from "./rest-draft.ts";
import { callbackField } from "./webhook-target.ts";
import { type RepositoryParts, whichRepository } from "./which-repository.ts";

export interface CreateJobParts extends RepositoryParts {
  readonly door: Pick<Door, "create" | "handle" | "waitFor">;
  readonly desk: Pick<Desk, "installation" | "repository" | "pushWait">;
  readonly webhooks: Pick<Webhooks, "mistakeIn" | "ownOf">;
  readonly log: Log;
  /** How long the branch is waited for: BRANCH_WAIT_MS, unless a test has less patience. */
  readonly branch_wait_ms: number;
}

const CREATE_FAILED = "Failed to create job";

const MISSING_JOB = failure(400, "missing_job", "Missing job field");
/** More than this is nothing to wait for with an open connection. */
function busy(after_ms: number): Answer {
  const seconds = Math.ceil(after_ms / 1_000);
  const sentence = `GitHub's limits leave no room for another job now; come again in ${seconds} seconds.`;
  return failure(429, "rate_limited", sentence, { "Retry-After": String(seconds) });
}

const NOT_CREATED = failure(500, "branch_not_created", CREATE_FAILED);
const says = (message: string) => ({ error: () => message });
const choice = z
  .string(says("must be a string."))
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$/, says("must be a name of at most 100 letters, digits and . _ : / @ -"))
  .nullish()
  .transform((value) => value ?? null);

const bodySchema = z.object({
  job: z
    .string(says("must be a string."))
    .max(MAX_TASK_LENGTH, says(`must have at most ${MAX_TASK_LENGTH} characters.`))
    .meta({ pattern: NOT_BLANK }),
  llm_provider: choice,
  llm_model: choice,
  repository: repositoryField.nullish().transform((value) => value ?? null),
});

const isMissing = (body: unknown): boolean => {
  if (body === undefined || body === null) return true;
  if (typeof body !== "object" || Array.isArray(body)) return false;
  const job = "job" in body ? body.job : undefined;
  return job === undefined || job === null || (typeof job === "string" && job.trim() === "");
};

const createdSchema = z
  .object({
    job_id: z.string(),
    branch: z.string(),
    pr_url: z.string().optional().meta({ description: "Where there is a pull request already." }),
  })
  .meta({ id: "CreatedJob" });

export const createJob = (parts: CreateJobParts): Route =>
  route({
    method: "post",
    path: "/api/create-job",
    operation: "createJob",
    group: "create-job",
    summary: "Ask for a job",
    about:
      "Answers when the job's branch is on GitHub, after at most 15 seconds; what does not get there is taken back.",
    scope: "write",
    failed: CREATE_FAILED,
    repeatable: true,
    body: bodySchema.extend({ callback_url: callbackField(parts.webhooks) }),
    // without a repository, so that it is right for any key that is bound to one
    example: { body: { job: "create HELLO.md that says hello" } },
    answers: {
      200: {
        about: "The job's branch is on GitHub and its run is due.",
        schema: createdSchema,
        example: { job_id: "ab12cd34", branch: "job/ab12cd34" },
      },
      400: { about: "The request is wrong.", codes: ["missing_job", "missing_repository", "unknown_model"] },
      403: { about: "The key is bound to another repository, or lacks the scope.", codes: ["forbidden"] },
      409: OVER_QUOTA,
      422: {
        about: "The App is not installed there, or the repository cannot run jobs; the sentence says what to do.",
        codes: ["not_installed", "repository_not_ready"],
      },
      429: {
        about: "GitHub's limits leave no room for another job now, or too many requests.",
        codes: ["rate_limited"],
        headers: { "Retry-After": "In how many seconds to come again." },
      },
      500: { about: "The branch did not get to GitHub, or our fault.", codes: ["branch_not_created"] },
    },
    precheck: ({ body }) => (isMissing(body) ? MISSING_JOB : null),
    async work({ request, body, work_id }) {
      const principal = principalOf(request);
      const repository = await whichRepository(parts, principal, body.repository);
      if ("answer" in repository) return repository.answer;
      const wait = parts.desk.pushWait(repository.value.installation_id);
      if (wait > parts.branch_wait_ms) return busy(wait);
      const { job: task, llm_provider: provider, llm_model: model, callback_url } = body;
      // made now, so that whoever asks for it while the job runs gets the one that signs
      if (callback_url !== null) await parts.webhooks.ownOf(principal.account);
      const created = await parts.door.create(
        restDraft(principal, repository.value, { dialect: "create-job", task, provider, model, callback_url }),
        work_id,
        actorOf(request),
      );
      if (!created.ok) return refused(created.refusal);
      request.about_job = created.job.id;
      return branchAnswer(parts, actorOf(request), created.job.id);
    },
  });

/** The job exists; its branch has to. What does not get there is taken back whole. */
async function branchAnswer(parts: CreateJobParts, by: Actor, id: JobId): Promise<Answer> {
  const settled = (stored: StoredJob) => stored.job.head_sha !== null || isFinal(stored.job.status);
  const stored = await parts.door.waitFor(id, settled, parts.branch_wait_ms);
  if (stored !== null && stored.job.head_sha !== null) {
    const { branch, pull_request } = stored.job;
    return success(200, { job_id: id, branch, ...(pull_request === null ? {} : { pr_url: pull_request.url }) });
  }
  // an earlier try of this request took it back, and died before it could say so
  if (stored?.job.status === "cancelled") return NOT_CREATED;
  if (stored !== null) return failure(422, "repository_not_ready", stored.job.failure ?? CREATE_FAILED);
  const discarded = await parts.door.handle(id, { type: "discard", by });
  parts.log.warn({ job: id, discarded: discarded.ok }, "a job was discarded, since its branch did not get to GitHub");
  return NOT_CREATED;
}
