/**
 * `POST /api/jobs/run`: orders work in two steps. The first returns an estimate and creates nothing; the second orders
 * at that price, and pays in the commit that creates the job.
 */
import type { Request } from "express";
import * as z from "zod";
import { Secret } from "../../../contracts/secret.ts";
import type { Principal } from "../../../domain/access.ts";
import { type AttachmentBlob, EMPTY_BLOB, envPurpose } from "../../../domain/job/attachments.ts";
import type { Draft } from "../../../domain/job/command.ts";
import { fullName, type Job, type JobId, type Repository } from "../../../domain/job/job.ts";
import { jobView, jobViewSchema } from "../../../domain/job/view.ts";
import { userAccount } from "../../../domain/market/ledger.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import type { SealedBox } from "../../../engine/ports/sealed-box.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import type { Wallet } from "../../../engine/ports/wallet.ts";
import type { Webhooks } from "../../../engine/ports/webhooks.ts";
import { isBlank } from "../../../text/normalise.ts";
import { counted } from "../../../text/plural.ts";
import { callbackField } from "../../admin/webhook-target.ts";
import { actorOf } from "../../middleware/actor.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, type HttpResult, success } from "../../routing/answer.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";
import { type Route, route } from "../../routing/route.ts";
import { restDraft } from "../rest-draft.ts";
import { type RepositoryParts, whichRepository } from "../which-repository.ts";
import { CACHING } from "./access.ts";
import { type AttachmentParts, NO_ROOM_LEFT, OVER_QUOTA, withAttachments } from "./attachment-blobs.ts";
import { JOB_EXAMPLE } from "./example.ts";
import { estimateRequestOf, type Order, orderSchema } from "./order.ts";
import {
  type Asking,
  goodUntil,
  isExpired,
  makeQuote,
  QUOTE_EXPIRED,
  type QuoteParts,
  type Terms,
  termsOf,
} from "./quote.ts";

export interface RunParts extends RepositoryParts, QuoteParts, AttachmentParts {
  readonly service: Pick<JobService, "create" | "drawId" | "marketGate" | "estimate" | "keep" | "observe">;
  readonly jobs: JobStore;
  readonly wallet: Pick<Wallet, "balance">;
  readonly box: SealedBox;
  readonly webhooks: Pick<Webhooks, "validateTarget" | "ownOf">;
}

/** As jobs are stored. */
export const NAME = "market";

type Ordered = Order & { readonly callback_url: string | null };

const MISSING_PROMPT = failure(400, "missing_prompt", "prompt is missing");

const isMissing = (body: unknown): boolean => {
  if (body === undefined || body === null) return true;
  if (typeof body !== "object" || Array.isArray(body)) return false;
  const prompt = "prompt" in body ? body.prompt : undefined;
  return prompt === undefined || prompt === null || (typeof prompt === "string" && isBlank(prompt));
};

const quoteSchema = z.object({
  needs_confirmation: z.literal(true),
  title: z.string(),
  description: z.string(),
  requirements: z.string(),
  skills: z.array(z.string()),
  estimated_price_cents: z.number().int(),
  estimated_time_limit_seconds: z.number().int(),
  estimated_by: z.enum(["model", "estimate"]),
  note: z.string(),
  quote_id: z.string(),
  quote_expires_at: z.iso.datetime(),
});

const NOTES = {
  model: "Price and limit are a model's estimate; what you name yourself counts.",
  estimate:
    "No model is set up here: price and limit are a rule of thumb by the prompt's length; what you name counts.",
} as const;

async function quote(parts: RunParts, asking: Asking): Promise<HttpResult> {
  const made = await makeQuote(parts, asking);
  if ("status" in made) return made;
  const { title, description, requirements, skills } = made;
  const shown: z.infer<typeof quoteSchema> = {
    needs_confirmation: true,
    ...{ title, description, requirements, skills: [...skills] },
    estimated_price_cents: made.price_cents,
    estimated_time_limit_seconds: made.time_limit_seconds,
    estimated_by: made.by,
    note: NOTES[made.by],
    quote_id: made.id,
    quote_expires_at: new Date(goodUntil(made)).toISOString(),
  };
  return success(200, shown, CACHING);
}

/** The sender's secrets and attachments as they are stored; null: there are none. */
function blobFor(box: SealedBox, id: JobId, { envVars, attachments }: Order): AttachmentBlob | null {
  const has_env = Object.keys(envVars).length > 0;
  if (!has_env && attachments.contents.length === 0) return null;
  const env_vars = has_env ? box.seal(new Secret(JSON.stringify(envVars)), envPurpose({ id })) : null;
  return { ...EMPTY_BLOB, env_vars, attachments: [...attachments.contents] };
}

const draftOf = (
  principal: Principal,
  repository: Repository,
  order: Ordered,
  terms: Terms,
  blob: string | null,
): Omit<Draft, "id"> => ({
  ...restDraft(principal, repository, {
    ...{ dialect: NAME, task: order.prompt, callback_url: order.callback_url },
    ...{ provider: null, model: null, no_merge: false, draft: false, over_budget: false, base_branch: null },
  }),
  runner: "market",
  title: terms.title,
  price_cents: terms.price_cents,
  time_limit_seconds: terms.time_limit_seconds,
  offer: {
    description: terms.description,
    requirements: terms.requirements,
    skills: terms.skills,
    enclosure:
      blob === null
        ? null
        : {
            parcel: blob,
            attachments: order.attachments.attachments,
            has_env_vars: Object.keys(order.envVars).length > 0,
          },
  },
});

/** The job as it is now: made and paid, or made and waiting for payment. */
export async function orderedAnswer(parts: Pick<RunParts, "wallet" | "now">, job: Job): Promise<HttpResult> {
  const view = jobView(job, parts.now());
  if (job.status !== "pending_payment") return success(201, view, { ...CACHING, Location: `/api/jobs/${job.id}` });
  return { status: 402, body: { ...(await unpaid(parts, job)), ...view }, headers: CACHING };
}

/** What a job costs, and what there is to pay it with. */
export async function unpaid({ wallet }: Pick<RunParts, "wallet">, job: Job) {
  const available_cents = await wallet.balance(userAccount(job.account));
  return {
    error: `The job costs ${counted(job.price_cents, "cent")} and the wallet holds ${available_cents}; top it up and pay with POST /api/jobs/${job.id}/pay.`,
    code: "insufficient_balance",
    required_cents: job.price_cents,
    available_cents,
  };
}

export const unpaidSchema = z
  .object({
    error: z.string(),
    code: z.literal("insufficient_balance"),
    required_cents: z.number().int(),
    available_cents: z.number().int(),
  })
  .meta({ id: "Unpaid" });

/** An account that owes orders nothing. */
export const inDebtSchema = z.object({ error: z.string(), code: z.literal("in_debt") }).meta({ id: "InDebt" });

const QUOTE_EXAMPLE: z.infer<typeof quoteSchema> = {
  needs_confirmation: true,
  title: JOB_EXAMPLE.title,
  description: JOB_EXAMPLE.description,
  requirements: JOB_EXAMPLE.requirements,
  skills: ["research"],
  estimated_price_cents: 500,
  estimated_time_limit_seconds: 3_600,
  estimated_by: "estimate",
  note: NOTES.estimate,
  quote_id: "q_Ab12Cd34Ef56",
  quote_expires_at: "2030-01-31T12:15:00.000Z",
};

async function order(
  parts: RunParts,
  request: Request,
  repository: Repository,
  asking: Asking & { readonly order: Ordered },
  work_id: JobId | undefined,
): Promise<HttpResult> {
  const principal = principalOf(request);
  const terms = await termsOf(parts, asking);
  if ("status" in terms) return terms;
  const id = terms.job_id ?? work_id ?? (await parts.service.drawId());
  request.about_job = id;
  const before = await parts.jobs.load(id);
  if (before !== null) return orderedAnswer(parts, before.job);
  const { order: ordered } = asking;
  if (ordered.quote_id !== null && (await isExpired(parts, ordered.quote_id))) return QUOTE_EXPIRED;
  if (ordered.callback_url !== null) await parts.webhooks.ownOf(principal.account);
  const whose = { id, account: principal.account };
  return withAttachments(parts, whose, blobFor(parts.box, id, ordered), async (blob) => {
    const created = await parts.service.create(
      draftOf(principal, repository, ordered, terms, blob),
      id,
      actorOf(request),
    );
    return created.ok ? orderedAnswer(parts, created.job) : refusalToHttp(created.refusal);
  });
}

export const runJob = (parts: RunParts): Route =>
  route({
    method: "post",
    path: "/api/jobs/run",
    operation: "runJob",
    group: "market",
    summary: "Ask for a quote, or order",
    about:
      "Without `confirmed` it answers an estimate and makes nothing. With `confirmed: true` it makes the job at what " +
      "was shown in the last 15 minutes, and pays for it; where the balance is too small, the job waits for payment.",
    scope: "write",
    repeatable: true,
    body: orderSchema.extend({ callback_url: callbackField(parts.webhooks) }),
    example: {
      body: {
        prompt: "Research the history of the Unix operating system",
        price_cents: 500,
        time_limit_seconds: 3600,
        confirmed: true,
      },
    },
    answers: {
      201: {
        about: "The job is made and paid.",
        schema: jobViewSchema,
        example: JOB_EXAMPLE,
        headers: { Location: "Where the job is." },
      },
      200: { about: "An estimate; nothing is made.", schema: quoteSchema, example: QUOTE_EXAMPLE },
      400: {
        about: "The prompt is missing, or the quote was given for something else.",
        codes: ["missing_prompt", "missing_repository", "quote_mismatch"],
      },
      402: {
        about: "The job is made and waits for payment; or nothing is made, since the account owes money.",
        schema: z.union([jobViewSchema.extend(unpaidSchema.shape).meta({ id: "UnpaidJob" }), inDebtSchema]),
        codes: ["insufficient_balance", "in_debt"],
      },
      403: { about: "The key is bound to another repository.", codes: ["forbidden"] },
      404: { about: "No such quote of this account.", codes: ["quote_not_found"] },
      409: OVER_QUOTA,
      410: { about: "The quote is older than 15 minutes and was not ordered.", codes: ["quote_expired"] },
      422: {
        about: "The App is not installed on that repository, or its settings have not opened it to the market.",
        codes: ["not_installed", "repository_not_ready"],
      },
      503: NO_ROOM_LEFT,
    },
    precheck: ({ body }) => (isMissing(body) ? MISSING_PROMPT : null),
    async work({ request, body, work_id }) {
      const principal = principalOf(request);
      const repository = await whichRepository(parts, principal, body.repository);
      if ("answer" in repository) return repository.answer;
      const asking = {
        account: principal.account,
        order: body,
        ...estimateRequestOf(body, fullName(repository.value)),
      };
      const closed = body.confirmed ? null : await parts.service.marketGate(repository.value);
      if (closed !== null) return refusalToHttp(closed);
      return body.confirmed ? order(parts, request, repository.value, asking, work_id) : quote(parts, asking);
    },
  });
