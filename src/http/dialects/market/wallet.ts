/** `/api/wallet`: balance and statement of an account, credit by an admin, and top-ups through a payment provider. */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { credit, userAccount } from "../../../domain/market/ledger.ts";
import type { Recorder } from "../../../engine/ports/audit.ts";
import type { PaymentProvider } from "../../../engine/ports/payments.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import type { LedgerRow, Wallet } from "../../../engine/ports/wallet.ts";
import { actorOf } from "../../middleware/actor.ts";
import { principalOf } from "../../middleware/auth.ts";
import { accountField } from "../../routing/account-field.ts";
import { failure, type HttpResult, success } from "../../routing/answer.ts";
import { nextLink, pageSchema } from "../../routing/paging.ts";
import { type Route, route } from "../../routing/route.ts";
import { CACHING } from "./access.ts";

export interface WalletParts {
  readonly wallet: Wallet;
  readonly service: Pick<JobService, "settleDebts">;
  /** Null: nobody here takes money. */
  readonly paymentProvider: PaymentProvider | null;
  readonly record: Recorder;
  readonly public_url: string | null;
  readonly now: () => number;
}

/** What one credit or top-up may be, in cents. */
export const MOST_CENTS = 10_000_000;
const LEAST_TOPUP_CENTS = 100;

const says = (message: string) => ({ error: () => message });
const amount = (least: number) => {
  const sentence = `must be a whole number of cents from ${least} to ${MOST_CENTS}.`;
  return z.number(says(sentence)).int(says(sentence)).min(least, says(sentence)).max(MOST_CENTS, says(sentence));
};

const rowSchema = z.object({
  id: z.string(),
  delta: z.number().int().meta({ description: "Cents; positive: the account gains." }),
  reason: z.string(),
  job_id: z.string().nullable(),
  created_at: z.iso.datetime(),
});

const rowOf = ({ id, cents, reason, note, job, at }: LedgerRow): z.infer<typeof rowSchema> => ({
  id,
  delta: cents,
  reason: note ?? reason,
  job_id: job,
  created_at: new Date(at).toISOString(),
});

const getBalance = ({ wallet, public_url }: WalletParts): Route =>
  route({
    method: "get",
    path: "/api/wallet/balance",
    operation: "getBalance",
    group: "wallet",
    summary: "What the account holds, and why",
    about: "The newest 10000 movements can be read, 20 a page unless `limit` says otherwise.",
    scope: "read",
    query: pageSchema,
    answers: {
      200: {
        about: "The balance, and a page of what moved it, newest first.",
        schema: z.object({ balance_cents: z.number().int(), ledger: z.array(rowSchema) }).meta({ id: "Balance" }),
        example: {
          balance_cents: 5_000,
          ledger: [
            {
              ...{ id: "credit-ab12cd34.1", delta: 5_000, reason: "welcome" },
              ...{ job_id: null, created_at: "2030-01-31T12:00:00.000Z" },
            },
          ],
        },
        headers: { Link: "The next page, where there is one." },
      },
    },
    async work({ request, query }) {
      const account = userAccount(principalOf(request).account);
      const { limit, cursor } = query;
      const page = await wallet.ledger(account, { limit, ...(cursor === undefined ? {} : { cursor }) });
      const body = { balance_cents: await wallet.balance(account), ledger: page.rows.map(rowOf) };
      const next = nextLink(`${public_url ?? ""}/api/wallet/balance`, { limit: String(limit) }, page.cursor);
      return success(200, body, { ...CACHING, ...next });
    },
  });

const creditSchema = z.strictObject({
  account: accountField,
  amount_cents: amount(1),
  reason: z
    .string(says("must be a string."))
    .max(200, says("must have at most 200 characters."))
    .nullish()
    .transform((text) => text?.trim() || null),
});

const creditAccount = ({ wallet, service, record, now }: WalletParts): Route =>
  route({
    method: "post",
    path: "/api/wallet/credit",
    operation: "creditAccount",
    group: "wallet",
    summary: "Give an account money",
    scope: "admin",
    repeatable: true,
    body: creditSchema,
    example: { body: { account: "octocat", amount_cents: 5_000, reason: "welcome" } },
    answers: {
      201: {
        about: "It is booked.",
        schema: z.object({ id: z.string(), account: z.string(), amount_cents: z.number(), balance_cents: z.number() }),
        example: { id: "credit-ab12cd34", account: "octocat", amount_cents: 5_000, balance_cents: 5_000 },
      },
    },
    async work({ request, body, work_id }) {
      const { account, amount_cents, reason } = body;
      const id = `credit-${work_id ?? randomUUID()}`;
      const posted = await wallet.post({ id, at: now(), postings: credit(account, amount_cents), note: reason });
      await service.settleDebts(account);
      const outcome = posted === "posted" ? "done" : "unchanged";
      record(actorOf(request), {
        action: "credit",
        target: { type: "account", id: account },
        repository: null,
        outcome,
      });
      const balance_cents = await wallet.balance(userAccount(account));
      return success(201, { id, account, amount_cents, balance_cents }, CACHING);
    },
  });

export const NO_PAYMENT_PROVIDER = failure(
  501,
  "not_set_up",
  "This server takes no payments: set STRIPE_SECRET_KEY, or have an admin credit the account.",
);

const topUp = ({ paymentProvider }: WalletParts): Route =>
  route({
    method: "post",
    path: "/api/wallet/topup",
    operation: "topUp",
    group: "wallet",
    summary: "Get a page on which to pay money in",
    about: "Stripe Checkout. The account is credited when the payment has arrived, once.",
    scope: "write",
    repeatable: true,
    body: z.strictObject({ amount_cents: amount(LEAST_TOPUP_CENTS) }),
    example: { body: { amount_cents: 2_000 } },
    answers: {
      201: {
        about: "Pay there.",
        schema: z.object({ id: z.string(), url: z.string() }),
        example: { id: "cs_a1b2c3", url: "https://checkout.stripe.com/c/pay/cs_a1b2c3" },
      },
      501: { about: "This server takes no payments.", codes: ["not_set_up"] },
      502: { about: "Stripe could not be asked; try again.", codes: ["stripe_unavailable"] },
    },
    async work({ request, body, work_id }): Promise<HttpResult> {
      if (paymentProvider === null) return NO_PAYMENT_PROVIDER;
      const { account } = principalOf(request);
      const page = await paymentProvider.checkout({ account, cents: body.amount_cents, key: work_id ?? null });
      return page === null
        ? failure(502, "stripe_unavailable", "Stripe could not be asked; try again in a minute.")
        : success(201, page, { "Cache-Control": "private, no-store" });
    },
  });

export const walletRoutes = (parts: WalletParts): readonly Route[] => [
  getBalance(parts),
  creditAccount(parts),
  topUp(parts),
];
