/**
 * `GET /api/audit`: who did what, newest first. Admins see everything, or what concerns the repository of their key;
 * any other key sees the entries of its own account's jobs, without the addresses of others.
 */
import type { Request } from "express";
import * as z from "zod";
import { canReadAddress, canReadAsSender, isAdmin } from "../../domain/access.ts";
import { asJobId } from "../../domain/job/job.ts";
import type { AuditEntry, AuditFilter, AuditLog } from "../../engine/ports/audit.ts";
import type { JobStore } from "../../engine/ports/jobs.ts";
import { principalOf } from "../middleware/auth.ts";
import { failure, type HttpResult, success } from "../routing/answer.ts";
import { nextLink, pageSchema } from "../routing/paging.ts";
import { type Call, type Route, route } from "../routing/route.ts";

export interface AuditParts {
  readonly audit: AuditLog;
  readonly jobs: JobStore;
  readonly public_url: string | null;
}

const PATH = "/api/audit";
const says = (message: string) => ({ error: () => message });
const ONCE = says("must be given once.");

const querySchema = pageSchema.extend({
  job_id: z.string(ONCE).optional().meta({ description: "Entries of this job." }),
  account: z.string(ONCE).max(64, ONCE).optional().meta({ description: "What this account did; for admins." }),
  key_id: z.string(ONCE).max(64, ONCE).optional().meta({ description: "What was done with this key; for admins." }),
});
type Query = z.infer<typeof querySchema>;

const entrySchema = z.object({
  at: z.string(),
  account: z.string().nullable(),
  login: z.string().nullable().meta({ description: "On GitHub." }),
  key_id: z.string().nullable(),
  address: z.string().nullable(),
  request_id: z.string().nullable().meta({ description: "`X-Request-Id` of the answer, or GitHub's delivery." }),
  action: z.string(),
  target: z.object({ type: z.enum(["job", "key", "subscription", "account", "trigger"]), id: z.string() }).nullable(),
  repository: z.string().nullable(),
  outcome: z.string().meta({ description: "`done`, `unchanged`, or the code of the refusal." }),
});

const NO_JOB = failure(404, "not_found", "There is no such job, or this key may not see it.");
const NAME_A_JOB = failure(
  403,
  "missing_scope",
  "Without the scope admin, name a job of your account with job_id, and nothing else to look for.",
);

const viewOf = (entry: AuditEntry, hidden: boolean): z.infer<typeof entrySchema> => ({
  ...entry,
  at: new Date(entry.at).toISOString(),
  address: hidden ? null : entry.address,
});

type Narrowed = { readonly filter: Omit<AuditFilter, "limit" | "cursor"> } | { readonly answer: HttpResult };

/** What this key may look for. */
async function narrowed(parts: AuditParts, request: Request, query: Query): Promise<Narrowed> {
  const principal = principalOf(request);
  const { job_id, account, key_id } = query;
  if (!isAdmin(principal) && (job_id === undefined || account !== undefined || key_id !== undefined))
    return { answer: NAME_A_JOB };
  const asked = {
    ...(account === undefined ? {} : { account }),
    ...(key_id === undefined ? {} : { key_id }),
    ...(principal.repository === null ? {} : { repository: principal.repository }),
  };
  if (job_id === undefined) return { filter: asked };
  const id = asJobId(job_id);
  const stored = id === null ? null : await parts.jobs.load(id);
  if (stored === null || !canReadAsSender(principal, stored.job)) return { answer: NO_JOB };
  // a repository that was renamed since then is another name in old entries; who sees the job sees them
  const { repository: _, ...rest }: Omit<AuditFilter, "limit"> = asked;
  return { filter: { ...rest, job_id, since: stored.job.created_at } };
}

const listed =
  (parts: AuditParts) =>
  async ({ request, query }: Call<undefined, Query, undefined>): Promise<HttpResult> => {
    const found = await narrowed(parts, request, query);
    if ("answer" in found) return found.answer;
    const { limit, cursor } = query;
    const page = await parts.audit.list({ ...found.filter, limit, ...(cursor === undefined ? {} : { cursor }) });
    const hidden = (entry: AuditEntry) => !canReadAddress(principalOf(request), entry);
    const { job_id, account: by, key_id } = query;
    const again = {
      limit: String(limit),
      ...(job_id && { job_id }),
      ...(by && { account: by }),
      ...(key_id && { key_id }),
    };
    const headers = nextLink(`${parts.public_url ?? ""}${PATH}`, again, page.cursor);
    return success(
      200,
      page.entries.map((entry) => viewOf(entry, hidden(entry))),
      { "Cache-Control": "private, no-store", ...headers },
    );
  };

export const auditRoute = (parts: AuditParts): Route =>
  route({
    method: "get",
    path: PATH,
    operation: "listAuditEntries",
    group: "audit",
    summary: "Who did what, newest first",
    about:
      "A page may be short, and even empty, while there is a next one: each looks through a bounded part of the log.",
    scope: "read",
    query: querySchema,
    example: {},
    answers: {
      200: {
        about: "The entries.",
        schema: z.array(entrySchema),
        example: [
          {
            ...{ at: "2030-01-31T12:00:00.000Z", account: "octocat", login: null, key_id: "18e934b3158d" },
            ...{ address: "192.0.2.7", request_id: "5f3a9c1d2e4b-17", action: "cancel" },
            ...{ target: { type: "job", id: "ab12cd34" }, repository: "octocat/hello-world", outcome: "done" },
          },
        ],
        headers: { Link: "The next page, where there is one." },
      },
      403: { about: "Without the scope `admin`, name a job of the account.", codes: ["missing_scope"] },
      404: { about: "No such job, or not one that this key may see.", codes: ["not_found"] },
    },
    work: listed(parts),
  });
