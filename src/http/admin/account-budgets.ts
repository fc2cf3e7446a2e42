/** `/api/accounts/{account}/budget`: what the operator allows the jobs of an account to cost. For admins only. */
import type { Request } from "express";
import * as z from "zod";
import type { AccountLimits } from "../../contracts/budget.ts";
import type { AccountLimitsStore } from "../../engine/ports/account-budgets.ts";
import type { Recorder } from "../../engine/ports/audit.ts";
import type { JobService } from "../../engine/ports/service.ts";
import type { SpendingStore } from "../../engine/ports/spending.ts";
import { actorOf } from "../middleware/actor.ts";
import { accountField } from "../routing/account-field.ts";
import { failure, type HttpResult, success } from "../routing/answer.ts";
import { type Route, route } from "../routing/route.ts";

export interface AccountBudgetParts {
  readonly accountLimits: AccountLimitsStore;
  /** What every account has that has none of its own. */
  readonly usual_account_limits: AccountLimits;
  readonly service: Pick<JobService, "accountBudgetChanged">;
  readonly record: Recorder;
  readonly spending: Pick<SpendingStore, "spentIn">;
  readonly now: () => number;
}

const MOST_CENTS = 100_000_000;
const WRONG = { error: () => `must be a whole number of US cents from 1 to ${MOST_CENTS}, or null.` };
const limit = (of: string) =>
  z
    .number(WRONG)
    .int(WRONG)
    .min(1, WRONG)
    .max(MOST_CENTS, WRONG)
    .nullable()
    .default(null)
    .meta({ description: `US cents in a calendar ${of} of UTC; null: no limit.` });

const params = z.object({ account: accountField });
const bodySchema = z.strictObject({ day_cents: limit("day"), month_cents: limit("month") });

const cents = z.number().nullable().meta({ description: "US cents; null: no limit." });
const viewSchema = z
  .object({
    account: z.string(),
    day_cents: cents,
    month_cents: cents,
    own: z.boolean().meta({ description: "False: it has none of its own, so what the server's settings say counts." }),
  })
  .meta({ id: "AccountBudget" });
type View = z.output<typeof viewSchema>;

const spent = (of: string) =>
  z.number().meta({ description: `US cents that its jobs have cost in this ${of} of UTC; those under way not yet.` });
const listSchema = z
  .object({
    usual: z
      .object({ day_cents: cents, month_cents: cents })
      .meta({ description: "What every account has that has none of its own, by the server's settings." }),
    budgets: z.array(
      viewSchema.omit({ own: true }).extend({ spent_day_cents: spent("day"), spent_month_cents: spent("month") }),
    ),
    next: z.string().nullable().meta({ description: "Where more follow: the `after` of the next call; else null." }),
  })
  .meta({ id: "AccountBudgets" });

/** An operator sets few; an answer stays small whatever they do. */
const MOST_LISTED = 100;

const ACCOUNT = "octocat";
const LIMITS: AccountLimits = { day_cents: 500, month_cents: 5_000 };
const EXAMPLE: View = { account: ACCOUNT, ...LIMITS, own: true };
const { own: _, ...SHOWN } = EXAMPLE;
const LIST_EXAMPLE: z.output<typeof listSchema> = {
  usual: { day_cents: null, month_cents: null },
  budgets: [{ ...SHOWN, spent_day_cents: 125.5, spent_month_cents: 1_900 }],
  next: null,
};
const NONE = failure(404, "not_found", "This account has no budget of its own; PUT sets one.");

async function viewOf(parts: AccountBudgetParts, account: string): Promise<View> {
  const own = await parts.accountLimits.get(account);
  const { day_cents, month_cents } = own ?? parts.usual_account_limits;
  return { account, day_cents, month_cents, own: own !== null };
}

async function listOf(
  { accountLimits, usual_account_limits: usual, spending, now }: AccountBudgetParts,
  after: string,
) {
  const behind = (await accountLimits.all()).filter(({ account }) => account > after);
  const shown = behind.slice(0, MOST_LISTED);
  const budgets = [];
  for (const one of shown) {
    const { day_cents, month_cents } = await spending.spentIn({ account: one.account }, now());
    budgets.push({ ...one, spent_day_cents: day_cents, spent_month_cents: month_cents });
  }
  return { usual, budgets, next: behind.length > MOST_LISTED ? (shown.at(-1)?.account ?? null) : null };
}

/** The same answer, written down, once whoever waits for more has been told. */
async function changed(
  { record, service }: AccountBudgetParts,
  request: Request,
  action: "account-budget-set" | "account-budget-removed",
  { account, answer }: { readonly account: string; readonly answer: HttpResult },
): Promise<HttpResult> {
  const outcome = answer.status < 400 ? "done" : "not_found";
  record(actorOf(request), { action, target: { type: "account", id: account }, repository: null, outcome });
  await service.accountBudgetChanged(account);
  return answer;
}

const shared = { group: "budgets", scope: "admin", path: "/api/accounts/{account}/budget", params } as const;
const example = { params: { account: ACCOUNT } };

export const accountBudgetRoutes = (parts: AccountBudgetParts): readonly Route[] => [
  route({
    ...{ group: "budgets", scope: "admin", method: "get", path: "/api/accounts" },
    operation: "listAccountBudgets",
    summary: "List the accounts that have a budget of their own",
    about: `With what their jobs have cost, in order of the names, ${MOST_LISTED} at a time.`,
    query: z.strictObject({ after: accountField.optional().meta({ description: "List those behind this account." }) }),
    answers: { 200: { about: "What counts for them, and for all others.", schema: listSchema, example: LIST_EXAMPLE } },
    work: async ({ query: { after = "" } }) => success(200, await listOf(parts, after)),
  }),
  route({
    ...shared,
    method: "get",
    operation: "getAccountBudget",
    summary: "What the jobs of an account may cost",
    example,
    answers: { 200: { about: "What counts for it.", schema: viewSchema, example: EXAMPLE } },
    work: async ({ params: { account } }) => success(200, await viewOf(parts, account)),
  }),
  route({
    ...shared,
    method: "put",
    operation: "setAccountBudget",
    summary: "Set what the jobs of an account may cost",
    about:
      "In all repositories together, in place of what `ACCOUNT_BUDGET_DAY_CENTS` and `ACCOUNT_BUDGET_MONTH_CENTS` give every account; null or left out: no limit. Whoever waits and has room now begins at once; what is under way goes on.",
    body: bodySchema,
    example: { ...example, body: { ...LIMITS } },
    answers: { 200: { about: "It counts from now on.", schema: viewSchema, example: EXAMPLE } },
    async work({ request, params: { account }, body }) {
      await parts.accountLimits.set(account, body);
      const answer = success(200, await viewOf(parts, account));
      return changed(parts, request, "account-budget-set", { account, answer });
    },
  }),
  route({
    ...shared,
    method: "delete",
    operation: "removeAccountBudget",
    summary: "Give an account what every account may spend",
    example,
    answers: {
      204: { about: "It has no budget of its own any more." },
      404: { about: "It has none of its own.", codes: ["not_found"] },
    },
    async work({ request, params: { account } }) {
      const answer = (await parts.accountLimits.remove(account)) ? { status: 204 } : NONE;
      return changed(parts, request, "account-budget-removed", { account, answer });
    },
  }),
];
