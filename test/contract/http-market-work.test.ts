/**
 * The market's specification, row by row: pulling, accepting, submitting, giving up, deadlines. Names quote the rows.
 */
import { describe, expect, it } from "vitest";
import { CRON_SECRET } from "./http-server.ts";
import { type Market, type Person, startMarket, twoPeople, viewSchema } from "./market-harness.ts";

const HOUR_MS = 3_600_000;

/** A job that bob has accepted. */
async function accepted(): Promise<Market & { ada: Person; bob: Person; id: string }> {
  const market = await twoPeople();
  const { id } = await market.ada.order(500);
  await market.bob.pull();
  await market.bob.accept(id);
  return Object.assign(market, { id });
}

const statusOf = async (who: Person, id: string) =>
  viewSchema.parse((await who.ask("GET", `/api/jobs/${id}`)).body).status;

describe("POST /api/jobs/pull", () => {
  it("Only queued (paid) jobs are returned", async () => {
    const { ada, bob } = await twoPeople(500);
    const paid = await ada.order(500);
    const unpaid = await ada.order(500);
    expect([paid.status, unpaid.status]).toEqual(["queued", "pending_payment"]);
    expect(await bob.pull()).toMatchObject({ id: paid.id });
    expect(await bob.ask("POST", "/api/jobs/pull", {})).toMatchObject({ status: 204, body: "" });
  });

  it("The response includes price_cents and time_limit_seconds for the agent to evaluate before accepting", async () => {
    const { ada, bob } = await twoPeople();
    await ada.order(500, { time_limit_seconds: 900, envVars: { TOKEN: "hidden-until-accept" } });
    const pulled = await bob.pull();
    expect(pulled).toMatchObject({ price_cents: 500, time_limit_seconds: 900, hold_expires_at: expect.any(String) });
    expect(JSON.stringify(pulled)).not.toContain("hidden-until-accept");
  });

  it("(all fields optional): agent_id, agent_name, both or neither name the agent", async () => {
    const { ada, bob } = await twoPeople();
    const made = await bob.ask("POST", "/api/agents", { name: "code-monkey", skills: ["Python "] });
    expect(made).toMatchObject({ status: 201, body: { name: "code-monkey", skills: ["python"] } });
    const { id: agent_id } = made.body as { id: string };
    const listed = (await bob.ask("GET", "/api/agents")).body;
    expect(listed).toMatchObject([{ name: "default", skills: [] }, { id: agent_id }]);
    for (let jobs = 0; jobs < 4; jobs++) await ada.order();
    const agent_name = "Code-Monkey";
    const by = async (body: object) => (await bob.pull(body))?.agent_id;
    expect(await by({ agent_id })).toBe(agent_id);
    expect(await by({ agent_name })).toBe(agent_id);
    expect(await by({ agent_id, agent_name })).toBe(agent_id);
    expect(await by({})).toBe((listed as { id: string }[])[0]?.id);
    for (const wrong of [{ agent_name: "nobody" }, { agent_id: "x" }, { agent_id, agent_name: "default" }])
      expect(await bob.ask("POST", "/api/jobs/pull", wrong)).toMatchObject({
        status: 404,
        body: { code: "agent_not_found" },
      });
    expect((await ada.ask("POST", "/api/jobs/pull", { agent_id })).status).toBe(404);
  });

  it("Find and hold the best matching job: unseen, then skill, then price, then age", async () => {
    const { ada, bob, clock } = await twoPeople(100_000);
    const skilled = { prompt: "Write a Python script" };
    const plan: [string, number, Readonly<Record<string, unknown>>][] = [
      ["cheap, plain", 200, {}],
      ["dear, plain, older", 900, {}],
      ["dear, plain, younger", 900, {}],
      ["cheap, fitting", 100, skilled],
      ["dear, fitting", 300, { prompt: "Write Python tests" }],
    ];
    const names = new Map<string, string>();
    for (const [name, price, more] of plan) {
      names.set((await ada.order(price, more)).id, name);
      clock.pass(1_000);
    }
    await bob.ask("POST", "/api/agents", { name: "snake", skills: ["python"] });
    const drain = async () => {
      const order: (string | undefined)[] = [];
      for (let job = await bob.pull({ agent_name: "snake" }); job; job = await bob.pull({ agent_name: "snake" }))
        order.push(names.get(job.id));
      return order;
    };
    const ranked = ["dear, fitting", "cheap, fitting", "dear, plain, older", "dear, plain, younger", "cheap, plain"];
    expect(await drain()).toEqual(ranked);
    clock.pass(30_000);
    const late = await ada.order(100);
    names.set(late.id, "new");
    expect(await drain()).toEqual(["new", ...ranked]);
  });

  it("lets a key that is bound to a repository pull from that one alone", async () => {
    const { ada, server } = await twoPeople();
    await ada.order();
    const key = async (repository: string) => {
      const newKey = await server.ask("POST", "/api/keys", { body: { account: "carl", repository } });
      return (newKey.body as { key: string }).key;
    };
    const pull = async (repository: string) =>
      (await server.ask("POST", "/api/jobs/pull", { key: await key(repository), body: {} })).status;
    expect([await pull("octo/other"), await pull("Octo/Demo")]).toEqual([204, 200]);
  });

  it("lets an account pull its own job, which then pays itself, less the fee", async () => {
    const { ada, server, id } = await (async () => {
      const market = await twoPeople(1_000);
      const made = await market.ada.order(500);
      await market.ada.pull();
      await market.ada.accept(made.id);
      await market.ada.ask("POST", `/api/jobs/${made.id}/submit`, { output_text: "done" });
      return Object.assign(market, { id: made.id });
    })();
    const stored = (await server.store.jobs.list({ limit: 1 })).jobs[0];
    if (stored === undefined) throw new Error("the job is gone");
    await server.engine.handle(stored.id, {
      type: "pull-request-opened",
      round: 1,
      number: 7,
      url: "u",
      head_sha: "h",
    });
    await server.engine.handle(stored.id, { type: "merged", pull_request: 7, by: null, at: 1 });
    expect([await statusOf(ada, id), await ada.balance()]).toEqual(["verified", 850]);
  });
});

describe("POST /api/jobs/:id/accept", () => {
  it("Sets accepted_at and computes deadline_at based on the time limit. Increments attempt_count", async () => {
    const { ada, bob, clock } = await twoPeople();
    const { id } = await ada.order(500, { time_limit_seconds: 600 });
    await bob.pull();
    const before = clock.now();
    const answer = await bob.accept(id);
    const body = answer.body as Record<string, string>;
    expect(answer).toMatchObject({ status: 200, body: { status: "accepted", attempt_count: 1, env_vars: {} } });
    expect(Date.parse(body.accepted_at ?? "")).toBeGreaterThanOrEqual(before);
    expect(Date.parse(body.deadline_at ?? "") - Date.parse(body.accepted_at ?? "")).toBe(600_000);
    expect((await bob.accept(id)).body).toEqual({ ...body, updated_at: expect.any(String) });
  });

  it("answers clone URL, branch and, alone, the decrypted env_vars, to who accepted and nobody else", async () => {
    const { ada, bob, person } = await twoPeople();
    const envVars = { TOKEN: "a-very-secret-value" };
    const { id } = await ada.order(500, { envVars });
    await bob.pull();
    const eve = await person("eve");
    expect([(await eve.accept(id)).status, (await ada.accept(id)).status]).toEqual([404, 400]);
    const answer = await bob.accept(id);
    expect(answer.body).toMatchObject({
      env_vars: envVars,
      branch: `job/${id}`,
      clone_url: "https://github.com/octo/demo.git",
    });
    expect(answer.headers.get("cache-control")).toContain("no-store");
    expect((await ada.accept(id)).status).toBe(400);
  });

  it.each([
    ["before a timer has come by", false],
    ["after it", true],
  ])("410 -- hold has expired, %s", async (_when, tidied) => {
    const { ada, bob, clock, server } = await twoPeople();
    const { id } = await ada.order();
    await bob.pull();
    clock.pass(30_000);
    if (tidied) await server.engine.enforceDeadlines();
    expect(await bob.accept(id)).toMatchObject({ status: 410, body: { code: "hold_expired" } });
    expect(await statusOf(ada, id)).toBe("queued");
  });
});

describe("POST /api/jobs/:id/reject", () => {
  it("Releases the hold and returns the job to the queue. No penalty for rejecting", async () => {
    const { ada, bob, person } = await twoPeople();
    const { id } = await ada.order();
    await bob.pull();
    expect((await bob.ask("POST", `/api/jobs/${id}/reject`)).body).toMatchObject({
      status: "queued",
      attempt_count: 0,
    });
    expect((await bob.ask("POST", `/api/jobs/${id}/reject`)).status).toBe(400);
    const carl = await person("carl");
    expect(await carl.pull()).toMatchObject({ id });
    expect(await ada.balance()).toBe(9_500);
  });
});

describe("POST /api/jobs/:id/submit", () => {
  it("Submit output for an accepted job", async () => {
    const { bob, ada, id } = await accepted();
    const handed = {
      output_text: "I did it.",
      output_attachments: [{ name: "report.csv", type: "text/csv", content: Buffer.from("a,b").toString("base64") }],
      files: [
        { path: "src/a.txt", content: "a" },
        { path: "b.bin", content: "AP8=", encoding: "base64" },
      ],
    };
    expect((await bob.ask("POST", `/api/jobs/${id}/submit`, handed)).body).toMatchObject({
      status: "submitted",
      result: "I did it.",
      changed_files: ["src/a.txt", "b.bin"],
      output_attachments: [{ name: "report.csv", type: "text/csv", size: 3 }],
    });
    const fetched = await ada.ask("GET", `/api/jobs/${id}/attachments/report.csv`);
    expect(fetched).toMatchObject({ status: 200, body: { content: "YSxi", type: "text/csv" } });
    expect((await ada.ask("GET", `/api/jobs/${id}/attachments/other`)).status).toBe(404);
    expect((await bob.ask("POST", `/api/jobs/${id}/submit`, handed)).status).toBe(400);
  });

  it.each([
    ["in time", -1_000, false, 200],
    ["at the deadline", 0, false, 400],
    ["after a timer has thrown the attempt away", 0, true, 400],
  ])("400 -- time limit exceeded (deadline passed): %s", async (_when, ms, tidied, status) => {
    const { bob, clock, server, id } = await accepted();
    clock.pass(HOUR_MS + ms);
    if (tidied) await server.engine.enforceDeadlines();
    const answer = await bob.ask("POST", `/api/jobs/${id}/submit`, { output_text: "late" });
    expect(answer.status).toBe(status);
    if (status === 400)
      expect(answer.body).toMatchObject({ code: "deadline_passed", error: expect.stringContaining("time limit") });
  });

  it.each([
    [{}, "Nothing is handed in"],
    [{ files: [{ path: "../up", content: "" }] }, "must be relative"],
    [{ files: [{ path: "/etc/passwd", content: "" }] }, "must be relative"],
    [{ files: [{ path: "a/.git/config", content: "" }] }, ".git"],
    [{ files: [{ path: ".GitHub/Workflows/x.yml", content: "" }] }, ".github/workflows"],
    [{ files: [{ path: ".jobs/x/result.json", content: "" }] }, ".jobs"],
    [{ files: [{ path: "a", content: "%", encoding: "base64" }] }, "must be base64"],
    [
      {
        files: [
          { path: "a", content: "" },
          { path: "A", content: "" },
        ],
      },
      "paths of their own",
    ],
    [{ files: Array.from({ length: 201 }, (_, i) => ({ path: `f${i}`, content: "" })) }, "at most 200"],
    [{ files: [{ path: "a", content: "x".repeat(513 * 1024) }] }, "at most 512 KB"],
    [{ output_attachments: Array(11).fill({ name: "a", content: "" }) }, "at most 10"],
    [{ output_text: "x".repeat(50_001) }, "at most 50000"],
    [{ pull_request: "https://github.com/octo/other/pull/3" }, "must be in octo/demo"],
    [{ pull_request: "the third" }, "pull_request: must be the number"],
    [{ pull_request: "#0" }, "pull_request: must be the number"],
    [{ pull_request: `#1${" ".repeat(500)}` }, "pull_request: must be the number"],
    [{ pull_request: 3, files: [{ path: "a", content: "" }] }, "in place of files"],
  ])("refuses what cannot be taken, with a sentence, and leaves nothing behind: %#", async (handed, sentence) => {
    const { bob, server, id } = await accepted();
    const answer = await bob.ask("POST", `/api/jobs/${id}/submit`, handed);
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(sentence) } });
    expect(await server.store.blobs.all()).toEqual([]);
    expect(await statusOf(bob, id)).toBe("accepted");
  });

  it("takes a submission once, however often it is sent under one Idempotency-Key", async () => {
    const { bob, id, server } = await accepted();
    const headers = { "idempotency-key": "submit-1" };
    const handed = { output_text: "done", files: [{ path: "a", content: "a" }] };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => bob.ask("POST", `/api/jobs/${id}/submit`, handed, { headers })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(await server.store.blobs.all()).toHaveLength(1);
  });

  it("clears away what a refused submission brought along", async () => {
    const { bob, clock, id, server } = await accepted();
    clock.pass(HOUR_MS);
    await bob.ask("POST", `/api/jobs/${id}/submit`, { files: [{ path: "a", content: "a" }] });
    expect(await server.store.blobs.all()).toEqual([]);
  });
});

describe("POST /api/jobs/:id/fail", () => {
  it("1. Increments attempt_count; 4. Otherwise: re-queues the job for another agent", async () => {
    const { ada, bob, person, id } = await accepted();
    expect((await bob.ask("POST", `/api/jobs/${id}/fail`, { reason: "Unclear." })).body).toMatchObject({
      status: "queued",
      attempt_count: 2,
      failure: "Unclear.",
    });
    const carl = await person("carl");
    expect(await carl.pull()).toMatchObject({ id });
    expect(await ada.balance()).toBe(9_500);
  });

  it("2. If cancellation_requested: sets status to cancelled, refunds sender", async () => {
    const { ada, bob, id } = await accepted();
    await ada.ask("POST", `/api/jobs/${id}/cancel`);
    expect((await bob.ask("POST", `/api/jobs/${id}/fail`, {})).body).toMatchObject({ status: "cancelled" });
    expect(await ada.balance()).toBe(10_000);
  });

  it("3. If attempt_count >= 3: sets status to failed, refunds sender", async () => {
    const { ada, bob, id } = await accepted();
    await bob.ask("POST", `/api/jobs/${id}/fail`, {});
    await bob.pull();
    expect((await bob.accept(id)).body).toMatchObject({ attempt_count: 3 });
    expect((await bob.ask("POST", `/api/jobs/${id}/fail`, {})).body).toMatchObject({
      status: "failed",
      attempt_count: 4,
    });
    expect(await ada.balance()).toBe(10_000);
  });

  it("is its worker's alone", async () => {
    const { ada, person, id } = await accepted();
    const eve = await person("eve");
    expect((await eve.ask("POST", `/api/jobs/${id}/fail`, {})).status).toBe(404);
    expect((await ada.ask("POST", `/api/jobs/${id}/fail`, {})).status).toBe(400);
  });
});

describe("GET /api/cron/enforce-deadlines", () => {
  const cron = ({ server }: Market, secret: string | null) =>
    server.ask("GET", "/api/cron/enforce-deadlines", {
      key: null,
      headers: secret === null ? {} : { authorization: `Bearer ${secret}` },
    });

  it("Protected by CRON_SECRET", async () => {
    const market = await startMarket();
    for (const secret of [null, "wrong", `${CRON_SECRET}x`]) expect((await cron(market, secret)).status).toBe(401);
    expect(await cron(market, CRON_SECRET)).toMatchObject({
      status: 200,
      body: { released_holds: 0, missed_deadlines: 0 },
    });
  });

  it("Releases expired holds and fails jobs past their deadline, each once, whoever comes first", async () => {
    const market = await twoPeople();
    const { ada, bob, clock } = market;
    const [late, held] = [await ada.order(900, { time_limit_seconds: 60 }), await ada.order(100)];
    await bob.pull();
    await bob.accept(late.id);
    await bob.pull();
    clock.pass(60_000);
    await Promise.all(Array.from({ length: 5 }, () => cron(market, CRON_SECRET)));
    expect([await statusOf(ada, late.id), await statusOf(ada, held.id)]).toEqual(["queued", "queued"]);
    expect((await ada.ask("GET", `/api/jobs/${late.id}`)).body).toMatchObject({ attempt_count: 2 });
  });
});
