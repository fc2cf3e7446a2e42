/** What the sender decides about submitted work: approve it, let its files run, or send it back. */
import * as z from "zod";
import type { Command } from "../../../domain/job/command.ts";
import type { Job } from "../../../domain/job/job.ts";
import { jobView } from "../../../domain/job/view.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import { actorOf } from "../../middleware/actor.ts";
import { type HttpResult, success } from "../../routing/answer.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";
import { type Call, type Route, route } from "../../routing/route.ts";
import { CACHING, senderJob } from "./access.ts";
import { EXAMPLE_ID, idParams, NO_SUCH_JOB, NOT_YOURS, THE_JOB } from "./jobs.ts";

export interface ReviewParts {
  readonly service: Pick<JobService, "handle">;
  readonly jobs: JobStore;
  readonly now: () => number;
}

const LONGEST_REASON = 2_000;
const says = (message: string) => ({ error: () => message });

const commitSchema = z.strictObject({
  commit: z
    .string(says("must be a string."))
    .regex(/^[0-9a-f]{7,40}$/i, says("must be the name of a commit, or its first 7 characters and more."))
    .optional()
    .meta({
      description: "At which the work was read. Needed where other files that may not run were handed in before.",
    }),
});

const reasonSchema = z.strictObject({
  reason: z
    .string(says("must be a string."))
    .max(LONGEST_REASON, says(`must have at most ${LONGEST_REASON} characters.`))
    .default("")
    .meta({ description: "For the worker, and for the next attempt." }),
});

async function decideOn(
  parts: ReviewParts,
  { request }: Call<unknown, unknown, unknown>,
  command: (job: Job) => Command,
): Promise<HttpResult> {
  const job = await senderJob(parts, request);
  if (!("id" in job)) return job;
  const handled = await parts.service.handle(job.id, command(job));
  return handled.ok ? success(200, jobView(handled.job, parts.now()), CACHING) : refusalToHttp(handled.refusal);
}

const NOT_SUBMITTED = {
  about: "There is no submitted work to decide about, or the time to object is over.",
  codes: ["wrong_status"],
} as const;

const approving = (parts: ReviewParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/approve",
    operation: "approveJob",
    group: "market",
    summary: "Take the work as it is",
    about:
      "The worker is paid at once, whatever checks and judge still have to say. Needed where neither can say it; work " +
      "that is left to the sender counts as approved 72 hours after it was handed in.",
    scope: "write",
    repeatable: true,
    params: idParams,
    body: commitSchema,
    example: { ...EXAMPLE_ID, body: {} },
    answers: {
      200: { ...THE_JOB, about: "The job, verified." },
      400: NOT_SUBMITTED,
      403: NOT_YOURS,
      404: NO_SUCH_JOB,
    },
    work: (call) =>
      decideOn(parts, call, ({ account }) => ({
        type: "approve",
        account,
        by: actorOf(call.request),
        comment_id: null,
        commit: call.body.commit,
      })),
  });

const runningChecks = (parts: ReviewParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/run-checks",
    operation: "runChecks",
    group: "market",
    summary: "Let the worker's files run",
    about:
      "They come to the job's branch, and a pull request opens: a stranger's code then runs in the repository's own " +
      "workflows, with the secrets that they see. Read `diff_url` first.",
    scope: "write",
    repeatable: true,
    params: idParams,
    body: commitSchema,
    example: { ...EXAMPLE_ID, body: { commit: "1f0c3a5b7d" } },
    answers: { 200: THE_JOB, 400: NOT_SUBMITTED, 403: NOT_YOURS, 404: NO_SUCH_JOB },
    work: (call) =>
      decideOn(parts, call, () => ({
        type: "run-checks",
        by: actorOf(call.request),
        comment_id: null,
        commit: call.body.commit,
      })),
  });

const rejecting = (parts: ReviewParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/reject-work",
    operation: "rejectWork",
    group: "market",
    summary: "Send the work back",
    about:
      "The attempt fails: the job goes back to the market, or fails with the price back in the wallet. (`reject` is for an " +
      "agent that holds a job and does not want it.)",
    scope: "write",
    repeatable: true,
    params: idParams,
    body: reasonSchema,
    example: { ...EXAMPLE_ID, body: { reason: "The second half is missing." } },
    answers: { 200: THE_JOB, 400: NOT_SUBMITTED, 403: NOT_YOURS, 404: NO_SUCH_JOB },
    work: (call) =>
      decideOn(parts, call, ({ account }) => ({
        type: "reject-work",
        account,
        by: actorOf(call.request),
        reason: call.body.reason,
        comment_id: null,
      })),
  });

export const reviewRoutes = (parts: ReviewParts): readonly Route[] => [
  approving(parts),
  runningChecks(parts),
  rejecting(parts),
];
