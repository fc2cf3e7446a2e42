/** Routes for a sender's jobs: list, read, pay, cancel, and fetch attachments. */
import type { Request } from "express";
import * as z from "zod";
import { canReachName, readableJobs } from "../../../domain/access.ts";
import { unpackBlob } from "../../../domain/job/attachments.ts";
import { type Job, marketWork, STATUSES } from "../../../domain/job/job.ts";
import { OUTCOME_WORDS } from "../../../domain/job/outcome.ts";
import { jobView, jobViewSchema } from "../../../domain/job/view.ts";
import type { AttachmentStore } from "../../../engine/ports/attachments.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import type { Wallet } from "../../../engine/ports/wallet.ts";
import { repositoryField } from "../../admin/new-key.ts";
import { actorOf } from "../../middleware/actor.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, type HttpResult, success } from "../../routing/answer.ts";
import { withPosition, withPositions } from "../../routing/line-positions.ts";
import { nextLink, pageSchema } from "../../routing/paging.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";
import { type Call, type Route, route } from "../../routing/route.ts";
import { CACHING, NO_JOB, readableJob, senderJob } from "./access.ts";
import { JOB_EXAMPLE } from "./example.ts";
import { inDebtSchema, unpaid, unpaidSchema } from "./run.ts";

export interface MarketJobParts {
  readonly service: Pick<JobService, "handle">;
  readonly jobs: JobStore;
  readonly blobs: Pick<AttachmentStore, "get">;
  readonly wallet: Pick<Wallet, "balance">;
  readonly public_url: string | null;
  readonly now: () => number;
}

export const idParams = z.object({ id: z.string().meta({ description: "The job's." }) });
export const EXAMPLE_ID = { params: { id: JOB_EXAMPLE.id } };
export const THE_JOB = { about: "The job as it is now.", schema: jobViewSchema, example: JOB_EXAMPLE };
export const NO_SUCH_JOB = { about: "No such job, or not one that this key may see.", codes: ["not_found"] } as const;
export const NOT_YOURS = { about: "Somebody else's job.", codes: ["forbidden"] } as const;

const says = (message: string) => ({ error: () => message });

const oneOf = <Word extends string>(words: readonly Word[]) =>
  z.enum(words, says(`must be one of ${words.join(", ")}.`)).exactOptional();

const BOUND = failure(403, "forbidden", "This key is bound to another repository; use another key.");

const listQuery = pageSchema.extend({
  status: oneOf(STATUSES),
  outcome: oneOf(OUTCOME_WORDS),
  repository: repositoryField.exactOptional().meta({ description: "`owner/name`." }),
});

const listJobs = (parts: MarketJobParts): Route =>
  route({
    method: "get",
    path: "/api/jobs",
    operation: "listJobs",
    group: "market",
    summary: "List your jobs",
    about: "Every job of the key's account, whoever works on it, newest first.",
    scope: "read",
    query: listQuery,
    answers: {
      200: {
        about: "A page of jobs.",
        schema: z.array(jobViewSchema),
        example: [JOB_EXAMPLE],
        headers: { Link: "The next page, where there is one." },
      },
      403: { about: "The key is bound to another repository.", codes: ["forbidden"] },
    },
    async work({ request, query }) {
      const { limit, cursor, ...wanted } = query;
      const now = parts.now();
      const readable = readableJobs(principalOf(request));
      if (wanted.repository !== undefined && !canReachName(principalOf(request), wanted.repository)) return BOUND;
      const found = await parts.jobs.list({
        limit,
        ...wanted,
        ...readable,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const again = { limit: String(limit), ...wanted };
      const next = nextLink(`${parts.public_url ?? ""}/api/jobs`, again, found.cursor);
      return success(
        200,
        (await withPositions(parts.jobs, found.jobs)).map((job) => jobView(job, now)),
        { ...CACHING, ...next },
      );
    },
  });

const getJob = (parts: MarketJobParts): Route =>
  route({
    method: "get",
    path: "/api/jobs/{id}",
    operation: "getJob",
    group: "market",
    summary: "Read a job",
    about: "For its sender, for who holds it and for who works on it.",
    scope: "read",
    params: idParams,
    example: EXAMPLE_ID,
    answers: { 200: THE_JOB, 404: NO_SUCH_JOB },
    async work({ request }) {
      const job = await readableJob(parts, request);
      if (!("id" in job)) return job;
      return success(200, jobView(await withPosition(parts.jobs, job), parts.now()), CACHING);
    },
  });

/** Runs a command of the sender and answers with the job. */
async function asSender(
  parts: MarketJobParts,
  { request }: Call<unknown, unknown, unknown>,
  act: (job: Job) => Promise<HttpResult>,
): Promise<HttpResult> {
  const job = await senderJob(parts, request);
  return "id" in job ? act(job) : job;
}

const payJob = (parts: MarketJobParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/pay",
    operation: "payJob",
    group: "market",
    summary: "Pay for a job that waits for payment",
    scope: "write",
    ignores_body: true,
    repeatable: true,
    params: idParams,
    example: EXAMPLE_ID,
    answers: {
      200: THE_JOB,
      400: { about: "The job does not wait for payment.", codes: ["wrong_status"] },
      402: {
        about: "The balance is too small, or the account owes money; nothing has changed.",
        schema: z.union([unpaidSchema, inDebtSchema]),
        codes: ["insufficient_balance", "in_debt"],
      },
      403: NOT_YOURS,
      404: NO_SUCH_JOB,
    },
    work: (call) =>
      asSender(parts, call, async (job) => {
        const once = call.work_id === undefined ? {} : { payment_id: call.work_id };
        const by = actorOf(call.request);
        const paid = await parts.service.handle(job.id, { type: "pay", account: job.account, by, ...once });
        if (paid.ok) return success(200, jobView(paid.job, parts.now()), CACHING);
        if (paid.refusal.code !== "insufficient_balance") return refusalToHttp(paid.refusal);
        return { status: 402, body: await unpaid(parts, job), headers: CACHING };
      }),
  });

const cancelJob = (parts: MarketJobParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/{id}/cancel",
    operation: "cancelJob",
    group: "market",
    summary: "Cancel a job",
    ignores_body: true,
    about:
      "At once while nobody works on it, with the price back in the wallet; else it is noted, and done when the attempt " +
      "under way fails. A job that is over stays as it is.",
    scope: "write",
    repeatable: true,
    params: idParams,
    example: EXAMPLE_ID,
    answers: { 200: THE_JOB, 403: NOT_YOURS, 404: NO_SUCH_JOB },
    work: (call) =>
      asSender(parts, call, async (job) => {
        const by = actorOf(call.request);
        const cancelled = await parts.service.handle(job.id, { type: "cancel", by });
        return cancelled.ok
          ? success(200, jobView(cancelled.job, parts.now()), CACHING)
          : refusalToHttp(cancelled.refusal);
      }),
  });

const contentSchema = z.object({
  name: z.string(),
  type: z.string(),
  size: z.number().int(),
  content: z.string().meta({ description: "Base64." }),
});

const NO_ATTACHMENT = failure(404, "not_found", "This job has no attachment of that name, or it is not kept any more.");

async function attachmentOf(parts: MarketJobParts, request: Request, name: string): Promise<HttpResult> {
  const job = await readableJob(parts, request);
  if (!("id" in job)) return NO_JOB;
  for (const held of [marketWork(job)?.delivery, marketWork(job)?.enclosure]) {
    const listed = held?.attachments.find((one) => one.name === name);
    const text = held?.parcel && listed ? await parts.blobs.get(job.id, held.parcel) : null;
    const content = text === null ? undefined : unpackBlob(text).attachments.find((one) => one.name === name);
    if (listed !== undefined && content !== undefined)
      return success(200, { ...listed, content: content.content }, { "Cache-Control": "private, no-store" });
  }
  return NO_ATTACHMENT;
}

const getAttachment = (parts: MarketJobParts): Route =>
  route({
    method: "get",
    path: "/api/jobs/{id}/attachments/{name}",
    operation: "getAttachment",
    group: "market",
    summary: "Fetch what travels beside a job",
    about: "The worker's attachments, and until the job is over the sender's. Data as it came; nothing here runs it.",
    scope: "read",
    params: idParams.extend({ name: z.string().meta({ description: "As the job names it." }) }),
    example: { params: { id: JOB_EXAMPLE.id, name: "report.pdf" } },
    answers: {
      200: {
        about: "The attachment.",
        schema: contentSchema,
        example: { name: "report.pdf", type: "application/pdf", size: 4, content: "JVBERg==" },
      },
      404: NO_SUCH_JOB,
    },
    work: ({ request, params }) => attachmentOf(parts, request, params.name),
  });

export const marketJobRoutes = (parts: MarketJobParts): readonly Route[] => [
  listJobs(parts),
  getJob(parts),
  payJob(parts),
  cancelJob(parts),
  getAttachment(parts),
];
