/** Disputes and refunds of Stripe: in any order, repeated and concurrent, they are booked once and sum to zero. */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { Secret } from "../../src/contracts/secret.ts";
import { logTo } from "../../src/main/log.ts";
import { createStripeProvider } from "../../src/payments/stripe.ts";
import { type Market, type Person, startMarket } from "./market-harness.ts";

const WEBHOOK_SECRET = "whsec_of_these_tests_0123";

interface Happening {
  readonly type: string;
  readonly object: Readonly<Record<string, unknown>>;
}

const session = (name: string, cents: number, account = "ada") => ({
  ...{ id: `cs_${name}`, object: "checkout.session", payment_status: "paid", amount_total: cents, currency: "usd" },
  ...{ payment_intent: `pi_${name}`, metadata: { purpose: "journeyman-topup", account } },
});

/** What Stripe knows, and answers where it is asked. */
interface Stripe {
  readonly sessions: Map<string, object>;
  readonly refunds: Map<string, object[]>;
  away: boolean;
}

async function startStripe() {
  const stripe: Stripe = { sessions: new Map(), refunds: new Map(), away: false };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://stripe.test");
    const found = stripe.sessions.get(url.searchParams.get("payment_intent") ?? "");
    const data =
      url.pathname === "/v1/checkout/sessions"
        ? found === undefined
          ? []
          : [found]
        : (stripe.refunds.get(url.searchParams.get("charge") ?? "") ?? []);
    response.writeHead(stripe.away ? 400 : 200, { "content-type": "application/json" });
    const answer = { object: "list", url: url.pathname, has_more: false, data };
    response.end(JSON.stringify(stripe.away ? { error: { type: "api_error", message: "away" } } : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const settings = {
    secret_key: new Secret("sk_test_0123456789"),
    webhook_secret: new Secret(WEBHOOK_SECRET),
    api_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  const logged: string[] = [];
  const log = logTo({ write: (line) => void logged.push(line) }, "info");
  return { stripe, logged, paymentProvider: createStripeProvider(settings, "http://app.test", log) };
}

let nth = 0;

/** A body that Stripe has signed. */
async function post({ market }: Pick<Bank, "market">, body: string): Promise<number> {
  const at = Math.floor(Date.now() / 1_000);
  const v1 = createHmac("sha256", WEBHOOK_SECRET).update(`${at}.${body}`).digest("hex");
  const headers = { "stripe-signature": `t=${at},v1=${v1}` };
  return (await market.server.ask("POST", "/api/stripe/webhook", { key: null, body, headers })).status;
}

const lineSchema = z.looseObject({ error_code: z.string(), msg: z.string() });

interface Bank {
  readonly stripe: Stripe;
  /** What the log says of money that is not booked. */
  unbooked(): readonly z.infer<typeof lineSchema>[];
  readonly market: Market;
  readonly ada: Person;
  tell(happening: Happening, event?: string): Promise<number>;
  paid(name: string, cents: number): Happening;
}

async function startBank(): Promise<Bank> {
  const { stripe, logged, paymentProvider } = await startStripe();
  const market = await startMarket({ paymentProvider });
  market.server.github.opens = true;
  const ada = await market.person("ada");
  return {
    ...{ stripe, market, ada },
    unbooked: () => logged.map((line) => lineSchema.parse(JSON.parse(line))),
    async tell({ type, object }, event = `evt_${++nth}`) {
      return post({ market }, JSON.stringify({ id: event, object: "event", type, data: { object } }));
    },
    paid(name, cents) {
      const object = session(name, cents);
      stripe.sessions.set(`pi_${name}`, object);
      return { type: "checkout.session.completed", object };
    },
  };
}

const dispute = (name: string, amount: number, status: string, transactions: readonly number[] = []) => ({
  ...{ id: `dp_${name}`, object: "dispute", amount, currency: "usd", charge: `ch_${name}`, status },
  payment_intent: `pi_${name}`,
  balance_transactions: transactions.map((cents) => ({ object: "balance_transaction", amount: cents })),
});

/** All that Stripe tells of one dispute, in its own order. */
const storyOf = (name: string, amount: number, ends: "won" | "lost" | "warning_closed"): Happening[] => {
  const of = (type: string, ...more: [string, (readonly number[])?]): Happening => ({
    type: `charge.dispute.${type}`,
    object: dispute(name, amount, ...more),
  });
  if (ends === "warning_closed")
    return [of("created", "warning_needs_response"), of("updated", "warning_under_review"), of("closed", ends)];
  return [
    of("created", "needs_response"),
    of("funds_withdrawn", "needs_response", [-amount]),
    of("updated", "under_review", [-amount]),
    of("closed", ends, [-amount]),
    ...(ends === "won" ? [of("funds_reinstated", "won", [-amount, amount])] : []),
  ];
};

const refund = (name: string, amount: number, status: string): Happening["object"] => ({
  ...{
    id: `re_${name}`,
    object: "refund",
    amount,
    currency: "usd",
    charge: `ch_${name}`,
    payment_intent: `pi_${name}`,
  },
  status,
});

/** Over all that there is: nothing comes from nowhere. */
async function sumIn({ market }: Bank): Promise<number> {
  const { jobs, wallet } = market.server.store;
  let sum = 0;
  for (const account of ["user:ada", "user:bob", "fees", "outside"] as const) sum += await wallet.balance(account);
  for (const { id } of (await jobs.list({ limit: 100 })).jobs) sum += await wallet.balance(`escrow:${id}`);
  return sum;
}

const ledgerOf = async ({ ada }: Bank) => (await ada.ask("GET", "/api/wallet/balance?limit=100")).body as object;

describe("what Stripe takes back", () => {
  it("is booked once in whatever order it is told, doubled and at once, and sums to zero", async () => {
    const endings = fc.constantFrom("won", "lost", "warning_closed", "refunded", "refund failed", "kept");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(endings, fc.integer({ min: 100, max: 5_000 })), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        async (payments, chances) => {
          const bank = await startBank();
          const told: Happening[] = [];
          let expected = 0;
          for (const [index, [end, cents]] of payments.entries()) {
            const name = String(index);
            told.push(bank.paid(name, cents));
            expected += end === "lost" || end === "refunded" ? 0 : cents;
            if (end === "won" || end === "lost" || end === "warning_closed") told.push(...storyOf(name, cents, end));
            if (!end.startsWith("refund")) continue;
            const failed = end === "refund failed";
            const last = refund(name, cents, failed ? "failed" : "succeeded");
            bank.stripe.refunds.set(`ch_${name}`, [last]);
            told.push({ type: "refund.created", object: refund(name, cents, "pending") });
            told.push({ type: failed ? "refund.failed" : "refund.updated", object: last });
            told.push({ type: "charge.refunded", object: { id: `ch_${name}`, object: "charge", currency: "usd" } });
          }
          const chance = () => chances.next().value ?? 0;
          const events = [...told, ...told]
            .map((happening) => ({ happening, at: chance() }))
            .sort((a, b) => a.at - b.at)
            .map(({ happening }) => happening);
          const half = events.slice(0, Math.floor(events.length / 2));
          await Promise.all(half.map((one, index) => bank.tell(one, `evt_${index}`)));
          await bank.market.restart();
          for (const one of events.slice(half.length)) expect(await bank.tell(one)).toBe(200);
          expect(await bank.ada.balance()).toBe(expected);
          expect(await sumIn(bank)).toBe(0);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("may leave a wallet below zero, which blocks orders until it is made up for", async () => {
    const bank = await startBank();
    await bank.tell(bank.paid("a", 1_000));
    const { id } = await bank.ada.order(800);
    await bank.tell({
      type: "charge.dispute.funds_withdrawn",
      object: dispute("a", 1_000, "needs_response", [-1_000]),
    });
    expect(await bank.ada.balance()).toBe(-800);
    const order = { prompt: "More", price_cents: 100, confirmed: true };
    const refused = await bank.ada.ask("POST", "/api/jobs/run", order);
    expect(refused).toMatchObject({ status: 402, body: { code: "in_debt" } });
    expect(refused.body).toMatchObject({ error: expect.stringContaining("top up at least 800 cents") });
    // what comes back makes up for it
    await bank.ada.ask("POST", `/api/jobs/${id}/cancel`);
    expect(await bank.ada.balance()).toBe(0);
    await bank.tell(bank.paid("b", 100));
    expect((await bank.ada.ask("POST", "/api/jobs/run", order)).status).toBe(201);
    expect(await sumIn(bank)).toBe(0);
  });

  it("comes back in part where a part of it had been refunded, in whatever currency Stripe settles", async () => {
    const bank = await startBank();
    await bank.tell(bank.paid("a", 1_000));
    await bank.tell({ type: "charge.dispute.funds_reinstated", object: dispute("a", 1_000, "won", [-920, 460]) });
    expect(await bank.ada.balance()).toBe(500);
  });

  it("is nobody's where it was no top-up, or in another currency", async () => {
    const bank = await startBank();
    await bank.tell(bank.paid("a", 1_000));
    for (const object of [
      dispute("foreign", 500, "lost", [-500]),
      { ...dispute("a", 500, "lost", [-500]), currency: "eur" },
    ])
      expect(await bank.tell({ type: "charge.dispute.closed", object })).toBe(200);
    expect(await bank.tell({ type: "refund.created", object: refund("foreign", 5, "succeeded") })).toBe(200);
    expect(await bank.ada.balance()).toBe(1_000);
  });

  it("is told to the operator where it is an account's and is not booked, and is acknowledged", async () => {
    const bank = await startBank();
    await bank.tell(bank.paid("a", 1_000));
    const loss = dispute("a", 500, "lost", [-500]);
    const paid = { ...session("b", 700), currency: "eur" };
    const cases: readonly (readonly [type: string, object: object, said: object])[] = [
      ["charge.dispute.closed", { ...loss, currency: "eur" }, { object: "dp_a", account: "ada", amount: 500 }],
      ["charge.dispute.closed", { ...loss, payment_intent: null }, { object: "dp_a", account: null, currency: "usd" }],
      ["charge.dispute.closed", { id: "dp_x" }, { object: "dp_x", account: null, amount: null }],
      ["refund.created", { ...refund("a", 5, "succeeded"), currency: "eur" }, { object: "re_a", currency: "eur" }],
      ["refund.created", { ...refund("a", 5, "succeeded"), payment_intent: null }, { object: "re_a", account: null }],
      ["refund.created", {}, { object: null, account: null }],
      ["checkout.session.completed", paid, { object: "cs_b", account: "ada", amount: 700, currency: "eur" }],
    ];
    for (const [type, object, said] of cases) {
      const before = bank.unbooked().length;
      expect(await bank.tell({ type, object: { ...object } })).toBe(200);
      const lines = bank.unbooked().slice(before);
      expect(lines).toMatchObject([{ ...said, type, error_code: "not_booked", msg: expect.stringContaining("look") }]);
    }
    bank.stripe.refunds.set("ch_a", [{ ...refund("a", 5, "succeeded"), currency: "eur" }]);
    expect(await bank.tell({ type: "charge.refunded", object: { id: "ch_a", currency: "eur" } })).toBe(200);
    expect(bank.unbooked()).toHaveLength(cases.length + 1);
    // others may be paid at the same Stripe account, in whatever currency
    for (const object of [dispute("foreign", 5, "lost", [-5]), { ...dispute("foreign", 5, "lost"), currency: "eur" }])
      await bank.tell({ type: "charge.dispute.closed", object });
    await bank.tell({ type: "checkout.session.completed", object: { ...paid, metadata: {} } });
    expect(bank.unbooked()).toHaveLength(cases.length + 1);
    expect(await bank.ada.balance()).toBe(1_000);
  });

  it("is told again later where Stripe cannot be asked whose it was, and nothing is booked until then", async () => {
    const bank = await startBank();
    await bank.tell(bank.paid("a", 1_000));
    bank.stripe.away = true;
    const lost = { type: "charge.dispute.closed", object: dispute("a", 1_000, "lost", [-1_000]) };
    expect(await bank.tell(lost)).toBe(502);
    expect(await bank.ada.balance()).toBe(1_000);
    bank.stripe.away = false;
    expect(await bank.tell(lost)).toBe(200);
    expect(await bank.ada.balance()).toBe(0);
  });

  it("stands in the ledger and, once, in the audit log, with Stripe's event", async () => {
    const bank = await startBank();
    await bank.tell(bank.paid("a", 1_000));
    for (const one of [...storyOf("a", 1_000, "won"), ...storyOf("a", 1_000, "won")]) {
      bank.market.clock.pass(1_000);
      await bank.tell(one);
    }
    expect(await ledgerOf(bank)).toMatchObject({
      balance_cents: 1_000,
      ledger: [
        { delta: 1_000, reason: "dispute" },
        { delta: -1_000, reason: "dispute" },
        { delta: 1_000, reason: "topup" },
      ],
    });
    const audited = (await bank.market.server.ask("GET", "/api/audit?limit=20")).body as { action: string }[];
    const actions = audited.map(({ action }) => action).filter((action) => /^(?:dispute|topup)/.test(action));
    const told = ["topup", "dispute-opened", "dispute-withdrawn", "dispute-closed-won", "dispute-reinstated"];
    expect(actions.toReversed()).toEqual(told);
    expect(audited.find(({ action }) => action === "topup")).toMatchObject({
      ...{ target: { type: "account", id: "ada" }, request_id: expect.stringContaining("evt_") },
    });
  });
});

describe("events of a shape that is not known here", () => {
  const event = { id: "evt_x", object: "event", type: "charge.refunded", data: { object: { id: "ch_x" } } };

  it("are acknowledged, since Stripe would send them for days, and move nothing", async () => {
    const bank = await startBank();
    const { data: _, ...bare } = event;
    const thin = { ...bare, object: "v2.core.event", type: "v1.billing.meter.no_meter_found" };
    for (const body of [bare, thin, {}, [], null, 1, "x", { ...event, data: null }, { ...event, type: 7 }])
      expect(await post(bank, JSON.stringify(body)), JSON.stringify(body)).toBe(200);
    expect(await post(bank, "no JSON {")).toBe(200);
    expect(await sumIn(bank)).toBe(0);
  });

  it("are never our own fault, whatever they hold", async () => {
    const bank = await startBank();
    const types = ["checkout.session.completed", "charge.dispute.created", "refund.created", "charge.refunded", "else"];
    const odd = fc.record(
      {
        id: fc.oneof(fc.constant("evt_x"), fc.jsonValue()),
        type: fc.oneof(fc.constantFrom(...types), fc.jsonValue()),
        data: fc.oneof(fc.jsonValue(), fc.record({ object: fc.jsonValue() }, { requiredKeys: [] })),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(odd, fc.jsonValue()), async (body) => {
        expect([200, 400]).toContain(await post(bank, JSON.stringify(body)));
      }),
      { numRuns: 200 },
    );
    expect(await sumIn(bank)).toBe(0);
  });
});
