/** `POST /api/create-job`: creates a job and answers once its branch is on GitHub. */
import * as z from "zod";
import { isAtRest, type Job } from "../../../domain/job/job.ts";
import { BRANCH_LIMIT_MS } from "../../../domain/job/next-timer.ts";
import type { Recorder } from "../../../engine/ports/audit.ts";
import type { GitHubClient } from "../../../engine/ports/github.ts";
import type { StoredJob } from "../../../engine/ports/jobs.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import type { Webhooks } from "../../../engine/ports/webhooks.ts";
import { isBlank } from "../../../text/normalise.ts";
import { repositoryField } from "../../admin/new-key.ts";
import { callbackField } from "../../admin/webhook-target.ts";
import { actorOf } from "../../middleware/actor.ts";
import { principalOf } from "../../middleware/auth.ts";
import { gitHubRateLimited, LIMITED } from "../../middleware/github-rate-limit.ts";
import { failure, type HttpResult, success } from "../../routing/answer.ts";
import { choiceFields } from "../../routing/choice-fields.ts";
import { MAX_TASK_LENGTH, NOT_BLANK } from "../../routing/limits.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";
import { type Route, route } from "../../routing/route.ts";
import { OVER_QUOTA } from "../market/attachment-blobs.ts";
import { deniedOverBudget } from "../over-budget.ts";
import { restDraft } from "../rest-draft.ts";
import { type RepositoryParts, whichRepository } from "../which-repository.ts";

export interface CreateJobParts extends RepositoryParts {
  readonly service: Pick<JobService, "create" | "waitFor" | "observe">;
  readonly githubClient: Pick<GitHubClient, "installation" | "repository" | "pushWait">;
  readonly webhooks: Pick<Webhooks, "validateTarget" | "ownOf">;
  readonly record: Recorder;
}

/** As jobs are stored. */
export const NAME = "create-job";

/** The core takes back what has no branch in time; its word is waited for a little longer. */
const WAIT_MS = BRANCH_LIMIT_MS + 2_000;

const CREATE_FAILED = "Failed to create job";

const MISSING_JOB = failure(400, "missing_job", "Missing job field");
const NOT_CREATED = failure(500, "branch_not_created", CREATE_FAILED);
const says = (message: string) => ({ error: () => message });
const choice = z
  .string(says("must be a string."))
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$/, says("must be a name of at most 100 letters, digits and . _ : / @ -"))
  .nullish()
  .transform((value) => value ?? null);

const bodySchema = z.strictObject({
  job: z
    .string(says("must be a string."))
    .max(MAX_TASK_LENGTH, says(`must have at most ${MAX_TASK_LENGTH} characters.`))
    .meta({ pattern: NOT_BLANK }),
  llm_provider: choice,
  llm_model: choice,
  repository: repositoryField.nullish().transform((value) => value ?? null),
  ...choiceFields,
});

const isMissing = (body: unknown): boolean => {
  if (body === undefined || body === null) return true;
  if (typeof body !== "object" || Array.isArray(body)) return false;
  const job = "job" in body ? body.job : undefined;
  return job === undefined || job === null || (typeof job === "string" && isBlank(job));
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
      "Answers when the job's branch is on GitHub, after at most 15 seconds; what does not get there is taken back. A job that would have to wait in its repository's line is refused with 429.",
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
      429: LIMITED,
      500: { about: "The branch did not get to GitHub, or our fault.", codes: ["branch_not_created"] },
    },
    precheck: ({ body }) => (isMissing(body) ? MISSING_JOB : null),
    async work({ request, body, work_id }) {
      const principal = principalOf(request);
      const repository = await whichRepository(parts, principal, body.repository);
      if ("answer" in repository) return repository.answer;
      const limited = gitHubRateLimited(parts.githubClient, repository.value);
      if (limited !== null) return limited;
      const denied = deniedOverBudget(parts, request, repository.value, body.over_budget);
      if (denied !== null) return denied;
      const { job: task, llm_provider: provider, llm_model: model, repository: _, ...chosen } = body;
      const { callback_url } = chosen;
      // made now, so that whoever asks for it while the job runs gets the one that signs
      if (callback_url !== null) await parts.webhooks.ownOf(principal.account);
      const created = await parts.service.create(
        restDraft(principal, repository.value, {
          dialect: NAME,
          awaits_branch: true,
          task,
          provider,
          model,
          ...chosen,
        }),
        work_id,
        actorOf(request),
      );
      if (!created.ok) return refusalToHttp(created.refusal);
      request.about_job = created.job.id;
      return branchAnswer(parts, created.job);
    },
  });

/** The push will not be tried again before the core takes the job back. */
const isTooLate = ({ job, effects }: StoredJob): boolean =>
  effects.some(
    ({ effect, not_before }) => effect.type === "push-brief" && not_before > job.created_at + BRANCH_LIMIT_MS,
  );

/**
 * The job exists; its branch has to. What does not get there is taken back whole, by the core. Of a burst all find room
 * before the first one takes it, so there may be none when the push is due.
 */
async function branchAnswer({ service, githubClient }: CreateJobParts, { id, repository }: Job): Promise<HttpResult> {
  const limited = () => gitHubRateLimited(githubClient, repository);
  const hasBranch = ({ job }: StoredJob) => job.head_sha !== null;
  const settled = (one: StoredJob) =>
    hasBranch(one) || isAtRest(one.job.status) || (isTooLate(one) && limited() !== null);
  const stored = await service.waitFor(id, settled, WAIT_MS);
  if (stored !== null && stored.job.head_sha !== null) {
    const { branch, pull_request } = stored.job;
    return success(200, { job_id: id, branch, ...(pull_request === null ? {} : { pr_url: pull_request.url }) });
  }
  if (stored?.job.status === "cancelled" && stored.job.failure !== null)
    return failure(429, "rate_limited", stored.job.failure, { "Retry-After": "60" });
  if (stored === null || stored.job.status !== "failed") return limited() ?? NOT_CREATED;
  return failure(422, "repository_not_ready", stored.job.failure ?? CREATE_FAILED);
}
