import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Secret } from "../../src/contracts/secret.ts";
import { logTo } from "../../src/main/log.ts";
import { createStripeProvider } from "../../src/payments/stripe.ts";
import { API_KEY } from "./http-server.ts";
import { startMarket, twoPeople } from "./market-harness.ts";

const WEBHOOK_SECRET = "whsec_of_these_tests_0123";

describe("GET /api/wallet/balance", () => {
  it("tells what the account holds and every movement, newest first, page by page, and the same after a restart", async () => {
    const market = await twoPeople(1_000);
    const { ada, clock } = market;
    clock.pass(1_000);
    const { id } = await ada.order(300);
    clock.pass(1_000);
    await ada.ask("POST", `/api/jobs/${id}/cancel`);
    const whole = await ada.ask("GET", "/api/wallet/balance");
    expect(whole.body).toMatchObject({
      balance_cents: 1_000,
      ledger: [
        { delta: 300, reason: "refund", job_id: id },
        { delta: -300, reason: "charge", job_id: id },
        { delta: 1_000, reason: "credit", job_id: null },
      ],
    });
    const { ledger } = whole.body as { ledger: unknown[] };
    const walk = async () => {
      const rows: unknown[] = [];
      for (let path: string | undefined = "/api/wallet/balance?limit=1"; path !== undefined; ) {
        const page = await ada.ask("GET", path);
        rows.push(...(page.body as { ledger: unknown[] }).ledger);
        path = /<(.+)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
      }
      return rows;
    };
    expect(await walk()).toEqual(ledger);
    await market.restart();
    expect(await walk()).toEqual(ledger);
    expect((await ada.ask("GET", "/api/wallet/balance")).body).toEqual(whole.body);
  });

  it("shows each account its own alone", async () => {
    const { bob } = await twoPeople(1_000);
    expect((await bob.ask("GET", "/api/wallet/balance")).body).toEqual({ balance_cents: 0, ledger: [] });
  });
});

describe("POST /api/wallet/credit", () => {
  it("is for admins alone, whatever the spelling of the account, and says its reason", async () => {
    const { ada, server } = await twoPeople(0);
    const body = { account: "ADA", amount_cents: 250, reason: "thanks" };
    expect((await ada.ask("POST", "/api/wallet/credit", body)).status).toBe(403);
    const answer = await server.ask("POST", "/api/wallet/credit", { body });
    expect(answer).toMatchObject({ status: 201, body: { account: "ada", amount_cents: 250, balance_cents: 250 } });
    expect((await ada.ask("GET", "/api/wallet/balance")).body).toMatchObject({ ledger: [{ reason: "thanks" }] });
    const audited = await server.ask("GET", "/api/audit?account=admin&limit=1");
    expect(audited.body).toMatchObject([{ action: "credit", target: { type: "account", id: "ada" }, outcome: "done" }]);
  });

  it.each([
    [{ account: "ada" }, "amount_cents"],
    [{ account: "ada", amount_cents: 0 }, "amount_cents"],
    [{ account: "ada", amount_cents: -5 }, "amount_cents"],
    [{ account: "ada", amount_cents: 1.5 }, "amount_cents"],
    [{ account: "a b", amount_cents: 5 }, "account"],
  ])("names what is wrong in %j", async (body, field) => {
    const { server } = await startMarket();
    const answer = await server.ask("POST", "/api/wallet/credit", { body });
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(field) } });
  });

  it("books one credit once under one Idempotency-Key", async () => {
    const { ada, server } = await twoPeople(0);
    const body = { account: "ada", amount_cents: 250 };
    const headers = { "idempotency-key": "credit-1" };
    await Promise.all(Array.from({ length: 5 }, () => server.ask("POST", "/api/wallet/credit", { body, headers })));
    expect(await ada.balance()).toBe(250);
  });
});

/** Stripe's API as far as a checkout goes, over a real socket; answers what it was asked. */
async function startStripe() {
  const asked: { path: string; form: URLSearchParams; key: string | undefined; again: string | undefined }[] = [];
  const read = async (request: IncomingMessage) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    return text;
  };
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await read(request));
    const again = request.headers["idempotency-key"];
    const key = request.headers.authorization;
    asked.push({ path: request.url ?? "", form, key, again: typeof again === "string" ? again : undefined });
    const poor = form.get("line_items[0][price_data][unit_amount]") === "666";
    response.writeHead(poor ? 402 : 200, { "content-type": "application/json" });
    const session = { id: "cs_1", object: "checkout.session", url: "https://checkout.stripe.test/cs_1" };
    response.end(JSON.stringify(poor ? { error: { type: "card_error", message: "no" } } : session));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const api_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = {
    secret_key: new Secret("sk_test_0123456789"),
    webhook_secret: new Secret(WEBHOOK_SECRET),
    api_url,
  };
  return {
    asked,
    paymentProvider: createStripeProvider(settings, "http://app.test", logTo({ write: () => {} }, "silent")),
  };
}

const session = (differs: object = {}) => ({
  id: "cs_1",
  object: "checkout.session",
  payment_status: "paid",
  amount_total: 2_000,
  currency: "usd",
  metadata: { purpose: "journeyman-topup", account: "ada" },
  ...differs,
});

const eventOf = (type: string, object: object, id = "evt_1") =>
  JSON.stringify({ id, object: "event", type, data: { object } });

const signed = (body: string, secret = WEBHOOK_SECRET, at = Math.floor(Date.now() / 1_000)) =>
  `t=${at},v1=${createHmac("sha256", secret).update(`${at}.${body}`).digest("hex")}`;

describe("top-ups by Stripe", () => {
  it("answers 501 with a sentence where no key is set", async () => {
    const { ada, server } = await twoPeople(0);
    for (const answer of [
      await ada.ask("POST", "/api/wallet/topup", { amount_cents: 2_000 }),
      await server.ask("POST", "/api/stripe/webhook", { key: null, body: {} }),
    ])
      expect(answer).toMatchObject({ status: 501, body: { error: expect.stringContaining("STRIPE_SECRET_KEY") } });
  });

  it("makes a checkout page for the account and its amount, once for one Idempotency-Key", async () => {
    const { asked, paymentProvider } = await startStripe();
    const market = await startMarket({ paymentProvider });
    const ada = await market.person("ada");
    const headers = { "idempotency-key": "top-1" };
    const answer = await ada.ask("POST", "/api/wallet/topup", { amount_cents: 2_000 }, { headers });
    expect(answer).toMatchObject({ status: 201, body: { id: "cs_1", url: "https://checkout.stripe.test/cs_1" } });
    await ada.ask("POST", "/api/wallet/topup", { amount_cents: 2_000 }, { headers });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ path: "/v1/checkout/sessions", key: "Bearer sk_test_0123456789" });
    expect(asked[0]?.again).toMatch(/^topup-/);
    expect(Object.fromEntries(asked[0]?.form ?? [])).toMatchObject({
      mode: "payment",
      "metadata[account]": "ada",
      "line_items[0][price_data][unit_amount]": "2000",
      "line_items[0][price_data][currency]": "usd",
    });
    expect((await ada.ask("POST", "/api/wallet/topup", { amount_cents: 666 })).status).toBe(502);
    expect((await ada.ask("POST", "/api/wallet/topup", { amount_cents: 5 })).status).toBe(400);
  });

  it("credits a payment once, whichever of its events come, how often and in parallel, over a restart too", async () => {
    const { paymentProvider } = await startStripe();
    const market = await startMarket({ paymentProvider });
    const ada = await market.person("ada");
    const deliver = (body: string, signature = signed(body)) =>
      market.server.ask("POST", "/api/stripe/webhook", { key: null, body, headers: { "stripe-signature": signature } });
    const completed = eventOf("checkout.session.completed", session());
    const later = eventOf("checkout.session.async_payment_succeeded", session(), "evt_2");
    const answers = await Promise.all([completed, completed, later, completed].map((body) => deliver(body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await market.restart();
    await deliver(completed);
    expect((await ada.ask("GET", "/api/wallet/balance")).body).toMatchObject({
      balance_cents: 2_000,
      ledger: [{ delta: 2_000, reason: "topup" }],
    });
  });

  it("believes nothing that Stripe has not signed, and nothing that is no payment of ours", async () => {
    const { paymentProvider } = await startStripe();
    const market = await startMarket({ paymentProvider });
    const ada = await market.person("ada");
    const deliver = async (body: string, signature: string | null) =>
      (
        await market.server.ask("POST", "/api/stripe/webhook", {
          key: null,
          body,
          headers: signature === null ? {} : { "stripe-signature": signature },
        })
      ).status;
    const body = eventOf("checkout.session.completed", session());
    expect(await deliver(body, null)).toBe(400);
    expect(await deliver(body, "t=1,v1=00")).toBe(400);
    expect(await deliver(body, signed(body, "whsec_of_somebody_else"))).toBe(400);
    expect(await deliver(`${body} `, signed(body))).toBe(400);
    expect(await deliver(body, signed(body, WEBHOOK_SECRET, 1_000_000_000))).toBe(400);
    for (const other of [
      eventOf("checkout.session.completed", session({ payment_status: "unpaid" })),
      eventOf("checkout.session.completed", session({ metadata: {} })),
      eventOf("checkout.session.completed", session({ currency: "eur" })),
      eventOf("checkout.session.expired", session()),
      eventOf("customer.created", { id: "cus_1" }),
    ])
      expect(await deliver(other, signed(other))).toBe(200);
    expect(await ada.balance()).toBe(0);
    expect((await market.server.ask("GET", "/api/wallet/balance", { key: API_KEY })).body).toMatchObject({
      balance_cents: 0,
    });
  });
});
