/**
 * `GET /api/usage`: what jobs have cost and came to, by repository, requester, model, schedule or day. A key sees the jobs
 * of its account, one that is bound to a repository those there, an admin's all.
 */
import type { Request } from "express";
import * as z from "zod";
import { readableJobs } from "../../domain/access.ts";
import { fullName } from "../../domain/job/job.ts";
import { dayOf } from "../../domain/usage/figures.ts";
import {
  dayText,
  MAX_USAGE_ROWS,
  USAGE_BY,
  type UsageBy,
  type UsageReport,
  type UsageRow,
  usageReport,
} from "../../domain/usage/report.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { SpendingStore, UsageFilter } from "../../engine/ports/spending.ts";
import { csvOf } from "../../text/csv.ts";
import { boundTo } from "../dialects/which-repository.ts";
import { principalOf } from "../middleware/auth.ts";
import { failure, type HttpResult, success } from "../routing/answer.ts";
import { type Call, type Route, route } from "../routing/route.ts";

export interface UsageParts {
  readonly spending: SpendingStore;
  readonly repositories: Pick<RepositoryStore, "get" | "byId">;
  readonly now: () => number;
}

/** The most that one report reaches over. */
export const MAX_USAGE_DAYS = 400;

const says = (message: string) => ({ error: () => message });
const WHEN = says("must be a day or a time in UTC, such as 2026-11-01 or 2026-11-01T00:00:00Z.");
const BY = says(`must be one of: ${USAGE_BY.join(", ")}.`);
const FORMAT = says("must be json or csv.");
const REPOSITORY = says("must be owner/name, given once.");

const when = z.string(WHEN).pipe(z.union([z.iso.date(WHEN), z.iso.datetime({ offset: true, ...WHEN })], WHEN));

const querySchema = z.strictObject({
  by: z.enum(USAGE_BY, BY).default("repository").meta({ description: "What the rows are." }),
  from: when.optional().meta({
    description: "The first day, in UTC; of a time its day. Missing: the first of this month.",
  }),
  to: when.optional().meta({ description: "The last day, which is included. Missing: today." }),
  repository: z
    .string(REPOSITORY)
    .max(140, REPOSITORY)
    .regex(/^[^/\s]+\/[^/\s]+$/, REPOSITORY)
    .optional()
    .meta({ description: "Only of this one, `owner/name`." }),
  format: z.enum(["json", "csv"], FORMAT).optional().meta({ description: "Missing: as `Accept` asks for, else JSON." }),
});
type Query = z.infer<typeof querySchema>;

const count = z.number().int().nonnegative();
const cents = z.number().nonnegative().meta({ description: "US cents." });

const rowSchema = z
  .object({
    name: z.string().nullable().meta({
      description:
        "The repository, the login, the model, `schedule:NAME` or `trigger:NAME`, or the day; null: none, such as the requester of a job that a key asked for.",
    }),
    repository: z.string().nullable().meta({ description: "By repository and by schedule, `owner/name`." }),
    jobs: count.meta({ description: "Asked for on these days." }),
    open: count.meta({ description: "Of which nothing has come yet." }),
    merged_pull_requests: count.meta({ description: "Of these jobs, whenever they were merged." }),
    share_merged: z.number().nullable().meta({ description: "0 to 1, of the jobs that are not open." }),
    median_seconds_to_merge: count.nullable().meta({
      description: "From the request to the merge, right within 5 %; null: nothing was merged.",
    }),
    share_second_attempts: z.number().nullable().meta({
      description: "0 to 1, of all jobs: those that took more than one attempt.",
    }),
    attempts: count.meta({ description: "That began on these days and are over, as what they cost." }),
    cents,
    estimated_cents: cents.meta({ description: "The most that attempts may have cost that did not tell it." }),
    cents_per_merged: cents.nullable().meta({ description: "Both, for each merged pull request." }),
    input_tokens: count,
    output_tokens: count,
    cache_read_tokens: count,
    cache_write_tokens: count,
  })
  .meta({ id: "UsageRow" });
type RowView = z.infer<typeof rowSchema>;

const reportSchema = z.object({
  by: z.enum(USAGE_BY),
  from: z.iso.date(),
  to: z.iso.date(),
  rows: z.array(rowSchema).meta({
    description: `Dearest first, ${MAX_USAGE_ROWS} at most; days in their order, without those on which nothing happened.`,
  }),
  others: rowSchema.nullable().meta({ description: "All further rows as one; null: there are none." }),
  total: rowSchema,
});

const viewOf = ({ repository, merged, ...row }: UsageRow): RowView => {
  const { name, jobs, open, ...rest } = row;
  return { name, repository: repository?.name ?? null, jobs, open, merged_pull_requests: merged, ...rest };
};

const COLUMNS = Object.keys(rowSchema.shape) as readonly (keyof RowView)[];

function csvText({ rows, others }: UsageReport): string {
  const named = others === null ? rows : [...rows, { ...others, name: "(others)" }];
  return csvOf([COLUMNS, ...named.map(viewOf).map((row) => COLUMNS.map((column) => row[column]))]);
}

type Days = Pick<UsageFilter, "from" | "to">;

const firstOfMonth = (now: number): number => dayOf(now) - new Date(now).getUTCDate() + 1;

const wrong = (sentence: string): { readonly answer: HttpResult } => ({
  answer: failure(400, "invalid_field", sentence),
});

function daysOf({ from, to }: Query, now: number): Days | { readonly answer: HttpResult } {
  const last =
    to === undefined ? Math.max(dayOf(now), from === undefined ? 0 : dayOf(Date.parse(from))) : dayOf(Date.parse(to));
  const first = from === undefined ? Math.min(firstOfMonth(now), last) : dayOf(Date.parse(from));
  if (first > last) return wrong("to: must not be before from.");
  if (last - first >= MAX_USAGE_DAYS) return wrong(`from: must be within ${MAX_USAGE_DAYS} days before to.`);
  return { from: first, to: last };
}

async function repositoryNamed(
  parts: UsageParts,
  request: Request,
  query: Query,
): Promise<{ readonly value: UsageFilter["repository"] } | { readonly answer: HttpResult }> {
  const principal = principalOf(request);
  const bound = boundTo(principal, query.repository ?? null);
  if ("answer" in bound) return bound;
  const name = bound.value;
  if (name === null) return { value: undefined };
  const [owner = "", repository = ""] = name.split("/");
  const id = principal.repository_id ?? (await parts.repositories.get(owner, repository))?.id ?? null;
  return { value: { id, name } };
}

/** Repositories under the names that they have now. */
async function named(parts: UsageParts, by: UsageBy, row: UsageRow): Promise<UsageRow> {
  const known = row.repository?.id == null ? null : await parts.repositories.byId(row.repository.id);
  if (known === null || row.repository === null) return row;
  const name = fullName(known);
  return { ...row, name: by === "repository" ? name : row.name, repository: { ...row.repository, name } };
}

const wantsCsv = (request: Request, { format }: Query): boolean =>
  format === undefined ? request.accepts(["json", "csv"]) === "csv" : format === "csv";

const told =
  (parts: UsageParts) =>
  async ({ request, query }: Call<undefined, Query, undefined>): Promise<HttpResult> => {
    const days = daysOf(query, parts.now());
    if ("answer" in days) return days.answer;
    const repository = await repositoryNamed(parts, request, query);
    if ("answer" in repository) return repository.answer;
    const { accounts } = readableJobs(principalOf(request));
    const filter: UsageFilter = {
      ...days,
      ...(accounts === undefined ? {} : { accounts }),
      ...(repository.value === undefined ? {} : { repository: repository.value }),
    };
    const found = await usageReport(parts.spending.usage(filter), query.by);
    const rows = await Promise.all(found.rows.map((row) => named(parts, query.by, row)));
    const report: UsageReport = { ...found, rows };
    const [from, to] = [dayText(days.from), dayText(days.to)];
    const headers = { "Cache-Control": "private, no-store", Vary: "Accept" };
    if (wantsCsv(request, query)) {
      const file = `attachment; filename="usage-by-${query.by}-${from}-${to}.csv"`;
      const text = { type: "text/csv; charset=utf-8", content: csvText(report) };
      return { status: 200, text, headers: { ...headers, "Content-Disposition": file } };
    }
    const others = report.others === null ? null : viewOf(report.others);
    return success(
      200,
      { by: query.by, from, to, rows: report.rows.map(viewOf), others, total: viewOf(report.total) },
      headers,
    );
  };

const ROW: RowView = {
  ...{ name: "octocat/hello-world", repository: "octocat/hello-world", jobs: 40, open: 2, merged_pull_requests: 30 },
  ...{ share_merged: 0.7895, median_seconds_to_merge: 1_719, share_second_attempts: 0.15, attempts: 47 },
  ...{ cents: 812.5, estimated_cents: 50, cents_per_merged: 28.75 },
  ...{ input_tokens: 5_200_000, output_tokens: 310_000, cache_read_tokens: 21_000_000, cache_write_tokens: 900_000 },
};

export const usageRoute = (parts: UsageParts): Route =>
  route({
    method: "get",
    path: "/api/usage",
    operation: "getUsage",
    group: "usage",
    summary: "What jobs have cost and came to",
    about: `A job counts on the UTC day on which it was asked for, with all that came of it since; attempts, cents and tokens count on the day on which the attempt began, once it is over. A report reaches over ${MAX_USAGE_DAYS} days at most. Orders of the market are counted as jobs; what they cost is in the wallet's ledger.`,
    scope: "read",
    query: querySchema,
    example: { query: { by: "repository" } },
    answers: {
      200: {
        about: "The figures; as CSV with the same columns, without the total, where `format` or `Accept` asks for it.",
        schema: reportSchema,
        example: {
          ...{ by: "repository", from: "2026-11-01", to: "2026-11-30" },
          ...{ rows: [ROW], others: null, total: { ...ROW, name: null, repository: null } },
        },
      },
      400: { about: "A parameter is wrong.", codes: ["invalid_field"] },
    },
    work: told(parts),
  });
