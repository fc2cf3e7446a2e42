/** The market's specification, row by row: ordering, paying, cancelling, listing. Names quote the rows. */
import { describe, expect, it } from "vitest";
import { until } from "../flows/harness.ts";
import { startMarket, twoPeople, viewSchema } from "./market-harness.ts";

const RUN = "/api/jobs/run";
const PROMPT = "Research the history of the Unix operating system";

describe("POST /api/jobs/run", () => {
  it.each([
    ["prompt | Yes | Natural language task description", {}, "prompt is missing"],
    ["prompt, of blanks alone", { prompt: " \n" }, "prompt is missing"],
    ["prompt, of an HTML comment alone", { prompt: "<!-- x -->" }, "prompt is missing"],
    ["prompt, of another type", { prompt: 5 }, "prompt: must be a string."],
    ["envVars | No | Environment variables for the job", { prompt: "x", envVars: { "1a": "b" } }, "envVars"],
    ["envVars, that are no strings", { prompt: "x", envVars: { A: 1 } }, "envVars.A: must be strings."],
    [
      "attachments | No | Pre-uploaded file attachments",
      { prompt: "x", attachments: [{ name: "../a", content: "" }] },
      "name",
    ],
    ["attachments, not in base64", { prompt: "x", attachments: [{ name: "a", content: "?" }] }, "must be base64."],
    ["price_cents | No | Job price in cents", { prompt: "x", price_cents: "5" }, "price_cents: must be a whole number"],
    ["time_limit_seconds | No | Time limit in seconds", { prompt: "x", time_limit_seconds: 1.5 }, "time_limit_seconds"],
    [
      "confirmed | No | Set true to confirm and create the job",
      { prompt: "x", confirmed: "yes" },
      "confirmed: must be",
    ],
  ])("%s: what is wrong is answered with 400 and named", async (_row, body, sentence) => {
    const { ada, server } = await twoPeople();
    const answer = await ada.ask("POST", RUN, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: expect.stringContaining(sentence) });
    expect(await server.store.jobs.count()).toBe(0);
  });

  it.each([false, true])("is refused where the market is off, and makes nothing: confirmed %s", async (confirmed) => {
    const { ada, server } = await twoPeople();
    server.github.market = { enabled: false, run_checks: "ask" };
    const answer = await ada.ask("POST", RUN, { prompt: PROMPT, confirmed });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: "repository_not_ready", error: expect.stringContaining("The market is off for octo/demo.") },
    });
    expect(await server.store.jobs.count()).toBe(0);
    expect(await ada.balance()).toBe(10_000);
  });

  it("goes back to the sender when the market was turned off before its brief was pushed", async () => {
    const { ada, bob, server } = await twoPeople();
    const { id } = await ada.order(500);
    server.github.market = { enabled: false, run_checks: "ask" };
    await bob.pull();
    await bob.accept(id);
    const over = async () => viewSchema.parse((await ada.ask("GET", `/api/jobs/${id}`)).body);
    await until("the end", async () => (await over()).status === "failed");
    expect(await over()).toMatchObject({ failure: expect.stringContaining("The market is off") });
    expect(await ada.balance()).toBe(10_000);
  });

  it("Phase 1 (without confirmed: true): Returns estimates. And makes nothing, takes nothing, and says who estimated", async () => {
    const { ada, server } = await twoPeople();
    const answer = await ada.ask("POST", RUN, { prompt: PROMPT, envVars: {}, attachments: [], confirmed: false });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        needs_confirmation: true,
        title: PROMPT,
        description: PROMPT,
        requirements: expect.any(String),
        estimated_price_cents: expect.any(Number),
        estimated_time_limit_seconds: expect.any(Number),
        estimated_by: "estimate",
        note: expect.stringContaining("No model"),
      },
    });
    expect([await server.store.jobs.count(), await ada.balance()]).toEqual([0, 10_000]);
  });

  it.each([
    [{ price_cents: 99 }, "price_cents: must be a whole number of cents from 100 to 100000."],
    [{ price_cents: 100_001 }, "price_cents: must be a whole number of cents from 100 to 100000."],
    [{ price_cents: 150.5 }, "price_cents: must be a whole number of cents from 100 to 100000."],
    [{ time_limit_seconds: 59 }, "time_limit_seconds: must be a whole number of seconds from 60 to 86400."],
    [{ time_limit_seconds: 86_401 }, "time_limit_seconds: must be a whole number of seconds from 60 to 86400."],
  ])("refuses %j, and charges nobody another price than was sent", async (given, error) => {
    const { ada, server } = await twoPeople(1_000_000);
    for (const confirmed of [false, true])
      expect(await ada.ask("POST", RUN, { prompt: PROMPT, ...given, confirmed })).toMatchObject({
        status: 400,
        body: { error, code: "invalid_field" },
      });
    expect([await server.store.jobs.count(), await ada.balance()]).toEqual([0, 1_000_000]);
  });

  it.each([
    [100, 60],
    [500, 3_600],
    [100_000, 86_400],
  ])("takes %d cents and %d seconds as they are", async (price_cents, time_limit_seconds) => {
    const { ada } = await twoPeople(1_000_000);
    const asked = { prompt: PROMPT, price_cents, time_limit_seconds };
    expect((await ada.ask("POST", RUN, asked)).body).toMatchObject({
      estimated_price_cents: price_cents,
      estimated_time_limit_seconds: time_limit_seconds,
    });
    expect((await ada.ask("POST", RUN, { ...asked, confirmed: true })).body).toMatchObject({
      price_cents,
      time_limit_seconds,
    });
  });

  it("Phase 2 (with confirmed: true): If the sender has sufficient balance, the price is deducted and the job is created as queued", async () => {
    const { ada } = await twoPeople();
    const { body } = await ada.ask("POST", RUN, { prompt: PROMPT });
    const { estimated_price_cents: quoted } = body as { estimated_price_cents: number };
    const made = await ada.ask("POST", RUN, { prompt: PROMPT, confirmed: true });
    expect(made).toMatchObject({ status: 201, body: { status: "queued", runner: "market", price_cents: quoted } });
    expect(await ada.balance()).toBe(10_000 - quoted);
  });

  it("402 -- insufficient balance (job created as pending_payment)", async () => {
    const { ada } = await twoPeople(300);
    const answer = await ada.ask("POST", RUN, { prompt: PROMPT, price_cents: 500, confirmed: true });
    expect(answer).toMatchObject({
      status: 402,
      body: { code: "insufficient_balance", required_cents: 500, available_cents: 300, status: "pending_payment" },
    });
    const { id } = viewSchema.parse(answer.body);
    expect((await ada.ask("GET", `/api/jobs/${id}`)).body).toMatchObject({ id, status: "pending_payment" });
    expect(await ada.balance()).toBe(300);
  });

  it("pays what was quoted once, however often and however parallel the quote is confirmed", async () => {
    const { ada, server } = await twoPeople();
    const { body } = await ada.ask("POST", RUN, { prompt: PROMPT, price_cents: 700 });
    const { quote_id } = body as { quote_id: string };
    const confirm = { prompt: PROMPT, price_cents: 700, confirmed: true, quote_id };
    const answers = await Promise.all(Array.from({ length: 20 }, () => ada.ask("POST", RUN, confirm)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body: made }) => viewSchema.parse(made).id)).size).toBe(1);
    expect([await server.store.jobs.count(), await ada.balance()]).toEqual([1, 9_300]);
  });

  it("pays once under one Idempotency-Key, and keeps a 402 as it was said", async () => {
    const { ada, server } = await twoPeople(600);
    const confirm = { prompt: PROMPT, price_cents: 500, confirmed: true };
    const headers = { "idempotency-key": "order-1" };
    const answers = await Promise.all(Array.from({ length: 10 }, () => ada.ask("POST", RUN, confirm, { headers })));
    expect(new Set(answers.map(({ body }) => viewSchema.parse(body).id)).size).toBe(1);
    expect(await ada.balance()).toBe(100);
    const other = { headers: { "idempotency-key": "order-2" } };
    const first = await ada.ask("POST", RUN, confirm, other);
    expect(first.status).toBe(402);
    expect((await ada.ask("POST", RUN, confirm, other)).body).toEqual(first.body);
    expect(await server.store.jobs.count()).toBe(2);
  });

  it("may be paid under the same Idempotency-Key once there is enough, and is paid once", async () => {
    const { ada, server } = await twoPeople(300);
    const { id } = await ada.order(500);
    const once = { headers: { "idempotency-key": "pay-1" } };
    const pay = () => ada.ask("POST", `/api/jobs/${id}/pay`, undefined, once);
    expect(await pay()).toMatchObject({ status: 402, body: { available_cents: 300 } });
    await server.ask("POST", "/api/wallet/credit", { body: { account: "ada", amount_cents: 700 } });
    const [paid, again] = [await pay(), await pay()];
    expect(paid).toMatchObject({ status: 200, body: { status: "queued" } });
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    expect(await ada.balance()).toBe(500);
  });

  it("orders a quote for a quarter of an hour, never another's, and never for something else", async () => {
    const { ada, bob, clock } = await twoPeople();
    const { body } = await ada.ask("POST", RUN, { prompt: PROMPT, price_cents: 700 });
    const { quote_id } = body as { quote_id: string };
    const confirm = (more: object) => ({ prompt: PROMPT, confirmed: true, quote_id, ...more });
    expect((await bob.ask("POST", RUN, confirm({}))).status).toBe(404);
    expect((await ada.ask("POST", RUN, confirm({ prompt: "Something else" }))).status).toBe(400);
    expect((await ada.ask("POST", RUN, confirm({ price_cents: 100 }))).status).toBe(400);
    clock.pass(15 * 60_000);
    expect(await ada.ask("POST", RUN, confirm({}))).toMatchObject({ status: 410, body: { code: "quote_expired" } });
    expect(await ada.balance()).toBe(10_000);
  });

  it("keeps a quote through a restart, and what became of it", async () => {
    const market = await twoPeople();
    const { ada } = market;
    const { body } = await ada.ask("POST", RUN, { prompt: PROMPT, price_cents: 700 });
    const { quote_id } = body as { quote_id: string };
    await market.restart();
    const confirm = { prompt: PROMPT, confirmed: true, quote_id };
    const made = viewSchema.parse((await ada.ask("POST", RUN, confirm)).body);
    expect(made).toMatchObject({ price_cents: 700, status: "queued" });
    await market.restart();
    market.clock.pass(20 * 60_000);
    expect((await ada.ask("POST", RUN, confirm)).body).toMatchObject({ id: made.id });
    expect(await ada.balance()).toBe(9_300);
  });

  it("keeps envVars encrypted, and shows them in no list, job or error", async () => {
    const { ada, server } = await twoPeople();
    const made = await ada.order(500, { envVars: { TOKEN: "a-very-secret-value" } });
    const shown = [
      await ada.ask("GET", "/api/jobs"),
      await ada.ask("GET", `/api/jobs/${made.id}`),
      await ada.ask("POST", `/api/jobs/${made.id}/pay`),
    ];
    expect(JSON.stringify([made, shown.map(({ body }) => body)])).not.toContain("a-very-secret-value");
    const [kept] = await server.store.blobs.all();
    if (kept === undefined) throw new Error("nothing is kept");
    expect(await server.store.blobs.get(kept.job, kept.name)).not.toContain("a-very-secret-value");
    await ada.ask("POST", `/api/jobs/${made.id}/cancel`);
    await expect.poll(() => server.store.blobs.all()).toEqual([]);
  });
});

describe("POST /api/jobs/:id/pay", () => {
  it("Transitions the job to queued, by deducting from the sender's wallet balance", async () => {
    const market = await startMarket();
    const ada = await market.person("ada");
    const { id } = await ada.order(500);
    expect(await ada.ask("POST", `/api/jobs/${id}/pay`)).toMatchObject({
      status: 402,
      body: { code: "insufficient_balance", required_cents: 500, available_cents: 0 },
    });
    await market.person("ada", 800);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ada.ask("POST", `/api/jobs/${id}/pay`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(400)]);
    expect(await ada.balance()).toBe(300);
  });

  it("400 -- job is not in pending_payment status", async () => {
    const { ada } = await twoPeople();
    const { id } = await ada.order();
    expect(await ada.ask("POST", `/api/jobs/${id}/pay`)).toMatchObject({ status: 400, body: { code: "wrong_status" } });
  });

  it("is the sender's alone, and answers the same under one Idempotency-Key", async () => {
    const market = await startMarket();
    const [ada, bob] = [await market.person("ada"), await market.person("bob", 900)];
    const { id } = await ada.order(500);
    expect((await bob.ask("POST", `/api/jobs/${id}/pay`)).status).toBe(404);
    await market.person("ada", 500);
    const headers = { "idempotency-key": "pay-1" };
    const paid = await ada.ask("POST", `/api/jobs/${id}/pay`, undefined, { headers });
    const again = await ada.ask("POST", `/api/jobs/${id}/pay`, undefined, { headers });
    expect([paid.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(paid.body);
  });
});

describe("POST /api/jobs/:id/cancel", () => {
  it("pending_payment | Immediate cancel, no refund needed", async () => {
    const market = await startMarket();
    const ada = await market.person("ada");
    const { id } = await ada.order(500);
    expect((await ada.ask("POST", `/api/jobs/${id}/cancel`)).body).toMatchObject({ status: "cancelled" });
    expect(await ada.balance()).toBe(0);
  });

  it.each(["queued", "held"])("queued / held | Immediate cancel, refund to wallet: %s", async (status) => {
    const { ada, bob } = await twoPeople();
    const { id } = await ada.order(500);
    if (status === "held") await bob.pull();
    expect((await ada.ask("GET", `/api/jobs/${id}`)).body).toMatchObject({ status });
    expect((await ada.ask("POST", `/api/jobs/${id}/cancel`)).body).toMatchObject({ status: "cancelled" });
    expect(await ada.balance()).toBe(10_000);
    expect(await bob.pull()).toBeNull();
  });

  it.each(["accepted", "submitted"])(
    "accepted / submitted | Sets cancellation_requested flag; cancels on next failure: %s",
    async (status) => {
      const { ada, bob } = await twoPeople();
      const { id } = await ada.order(500);
      await bob.pull();
      await bob.accept(id);
      if (status === "submitted") await bob.ask("POST", `/api/jobs/${id}/submit`, { output_text: "done" });
      expect((await ada.ask("POST", `/api/jobs/${id}/cancel`)).body).toMatchObject({
        status,
        cancellation_requested: true,
      });
      expect(await ada.balance()).toBe(9_500);
      expect((await bob.ask("POST", `/api/jobs/${id}/fail`, {})).body).toMatchObject({ status: "cancelled" });
      expect(await ada.balance()).toBe(10_000);
    },
  );

  it("verified / cancelled / failed | No-op", async () => {
    const { ada, bob, server } = await twoPeople();
    const [cancelled, failed] = [await ada.order(500), await ada.order(400)];
    await ada.ask("POST", `/api/jobs/${cancelled.id}/cancel`);
    for (let attempt = 0; attempt < 2; attempt++) {
      await bob.pull();
      await bob.accept(failed.id);
      await bob.ask("POST", `/api/jobs/${failed.id}/fail`, {});
    }
    const verified = await ada.order(300);
    const stored = (await server.store.jobs.list({ limit: 9 })).jobs.find(({ id }) => id === verified.id);
    if (stored === undefined) throw new Error("the job is gone");
    const before = await server.store.jobs.load(stored.id);
    await server.store.jobs.commit({
      ...{ job: { ...stored, status: "verified" }, expected_version: before?.version ?? 0, at: 1, history: [] },
      ...{ postings: [], effects: [], done: null },
    });
    for (const [{ id }, status] of [
      [cancelled, "cancelled"],
      [failed, "failed"],
      [verified, "verified"],
    ] as const) {
      const answer = await ada.ask("POST", `/api/jobs/${id}/cancel`);
      expect(answer).toMatchObject({ status: 200, body: { status } });
    }
    expect(await ada.balance()).toBe(9_700);
  });

  it("Only the sender can cancel", async () => {
    const { ada, bob, person } = await twoPeople();
    const { id } = await ada.order(500);
    const eve = await person("eve");
    await bob.pull();
    expect((await bob.ask("POST", `/api/jobs/${id}/cancel`)).status).toBe(403);
    expect((await eve.ask("POST", `/api/jobs/${id}/cancel`)).status).toBe(404);
    expect((await ada.ask("GET", `/api/jobs/${id}`)).body).toMatchObject({ status: "held" });
  });
});

describe("GET /api/jobs", () => {
  it("Returns jobs where the authenticated user is the sender, ordered by creation date (newest first)", async () => {
    const { ada, person, clock } = await twoPeople();
    const eve = await person("eve", 1_000);
    const ids: string[] = [];
    for (const price of [100, 200, 300]) {
      ids.unshift((await ada.order(price)).id);
      clock.pass(1_000);
    }
    await eve.order(100);
    const all = await ada.ask("GET", "/api/jobs");
    expect(
      viewSchema
        .array()
        .parse(all.body)
        .map(({ id }) => id),
    ).toEqual(ids);
    const first = await ada.ask("GET", "/api/jobs?limit=2");
    const [, next] = /<(.+)>; rel="next"/.exec(first.headers.get("link") ?? "") ?? [];
    const second = await ada.ask("GET", next ?? "");
    const pages = [first, second].flatMap(({ body }) =>
      viewSchema
        .array()
        .parse(body)
        .map(({ id }) => id),
    );
    expect(pages).toEqual(ids);
    expect(second.headers.get("link")).toBeNull();
  });

  it("status | Filter by job status, exact at read time", async () => {
    const { ada, bob, clock } = await twoPeople();
    const { id } = await ada.order();
    await bob.pull();
    const of = async (status: string) =>
      viewSchema
        .array()
        .parse((await ada.ask("GET", `/api/jobs?status=${status}`)).body)
        .map((job) => job.id);
    expect([await of("held"), await of("queued")]).toEqual([[id], []]);
    clock.pass(30_000);
    expect([await of("held"), await of("queued")]).toEqual([[], [id]]);
    expect((await ada.ask("GET", "/api/jobs?status=lost")).status).toBe(400);
  });
});

describe("GET /api/jobs with further filters", () => {
  it("finds jobs of one repository and by what came of them, and says which words there are", async () => {
    const { ada } = await twoPeople();
    const { id } = await ada.order();
    const { id: gone } = await ada.order();
    expect((await ada.ask("POST", `/api/jobs/${gone}/cancel`)).status).toBe(200);
    const { repository } = viewSchema.parse((await ada.ask("GET", `/api/jobs/${id}`)).body);
    const of = async (query: string) =>
      viewSchema
        .array()
        .parse((await ada.ask("GET", `/api/jobs?${query}`)).body)
        .map((job) => job.id);
    expect(await of("outcome=cancelled")).toEqual([gone]);
    expect(await of("outcome=merged")).toEqual([]);
    expect((await of(`repository=${repository.toUpperCase()}`)).toSorted()).toEqual([id, gone].toSorted());
    expect(await of(`repository=${repository}&outcome=cancelled`)).toEqual([gone]);
    expect(await of("repository=nobody/nothing")).toEqual([]);
    expect(await ada.ask("GET", "/api/jobs?outcome=lost")).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("merged, done, nothing_to_do") },
    });
  });
});

describe("GET /api/jobs/:id", () => {
  it("Returns a single job by ID, to its sender, its holder and its worker", async () => {
    const { ada, bob, person, clock } = await twoPeople();
    const eve = await person("eve");
    const { id } = await ada.order();
    const statuses = async () =>
      Promise.all([ada, bob, eve].map(async (who) => (await who.ask("GET", `/api/jobs/${id}`)).status));
    expect(await statuses()).toEqual([200, 404, 404]);
    await bob.pull();
    expect(await statuses()).toEqual([200, 200, 404]);
    clock.pass(30_000);
    expect(await statuses()).toEqual([200, 404, 404]);
    await bob.pull();
    await bob.accept(id);
    expect(await statuses()).toEqual([200, 200, 404]);
  });
});
