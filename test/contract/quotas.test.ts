/** The quotas of an account, at every entry point by which work is asked for or taken: the second is refused where one is allowed. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UNPAID_LIMIT_MS } from "../../src/domain/job/next-timer.ts";
import type { QuotaLimits } from "../../src/domain/job/quotas.ts";
import { until } from "../flows/harness.ts";
import type { Asked } from "./http-server.ts";
import { type Market, type Person, startMarket, viewSchema } from "./market-harness.ts";

const PROJECT = "/v2/agent/octo%2Fdemo/job";
const ATTACHMENTS = [{ name: "a.txt", content: Buffer.from("x".repeat(600)).toString("base64") }];

interface World {
  readonly market: Market;
  readonly ada: Person;
  readonly bob: Person;
}

/** Asks a second time for what was had once; answers how that was refused: in HTTP, or in a comment. */
type EntryPoint = (world: World) => Promise<Asked | string>;

let nth = 0;

const ACTIONS = { issue_comment: "created", issues: "labeled", check_run: "requested_action" } as const;

async function comment(
  { market }: World,
  body: string,
  event: "issue_comment" | "issues" | "check_run" = "issue_comment",
  more: object = {},
) {
  const { said } = market.server;
  const before = said.length;
  const issue = { number: ++nth + 100, title: "Hello", body: "World" };
  const person = { login: "ada", id: 1, type: "User" };
  const payload = {
    ...{ action: ACTIONS[event], issue, sender: person, label: { name: "job" } },
    comment: { id: 1_000 + nth, body, user: person },
    repository: { id: 42, name: "demo", owner: { login: "octo", id: 1 }, default_branch: "main" },
    installation: { id: 1 },
    ...more,
  };
  await market.server.deliver(event, `quota-${nth}`, payload);
  const { inbox } = market.server.store;
  await until("the delivery is worked on", async () => (await inbox.pending()).length === 0);
  return said.slice(before).join("\n");
}

const order = ({ ada }: World, more: object = {}): Promise<Asked> =>
  ada.ask("POST", "/api/jobs/run", {
    ...{ prompt: `Do the thing number ${++nth}`, price_cents: 500, time_limit_seconds: 3_600, confirmed: true },
    ...more,
  });

const twice = async (ask: () => Promise<Asked | string>): Promise<Asked | string> => {
  const first = await ask();
  if (typeof first === "string") expect(first).toBe("");
  else expect(first.status).toBeLessThan(300);
  return ask();
};

/** An agent of bob's has accepted a job of ada's. */
async function accepted(world: World, more: object = {}): Promise<string> {
  await order(world, more);
  const { id } = (await world.bob.pull()) ?? { id: "" };
  expect((await world.bob.accept(id)).status).toBe(200);
  return id;
}

const made = async (answer: Promise<Asked>): Promise<string> => viewSchema.shape.id.parse(Object(await answer).body.id);

const ENTRY_POINTS: readonly (readonly [
  entry: string,
  quota: keyof QuotaLimits,
  status: 402 | 409 | 429,
  EntryPoint,
])[] = [
  [
    "POST /api/create-job",
    "jobs_under_way",
    409,
    (w) => twice(() => w.ada.ask("POST", "/api/create-job", { job: "x" })),
  ],
  [
    "POST /api/create-job",
    "rounds_per_day",
    429,
    (w) => twice(() => w.ada.ask("POST", "/api/create-job", { job: "x" })),
  ],
  ["POST …/job", "jobs_under_way", 409, (w) => twice(() => w.ada.ask("POST", PROJECT, { prompt: "x" }))],
  ["POST …/job", "rounds_per_day", 429, (w) => twice(() => w.ada.ask("POST", PROJECT, { prompt: "x" }))],
  [
    "POST …/message",
    "rounds_per_day",
    429,
    async (w) => {
      const id = await made(w.ada.ask("POST", PROJECT, { prompt: "x" }));
      return w.ada.ask("POST", `${PROJECT}/${id}/message`, { prompt: "more" });
    },
  ],
  ["an order", "open_orders", 409, (w) => twice(() => order(w))],
  ["an order", "rounds_per_day", 429, (w) => twice(() => order(w))],
  ["an order with attachments", "kept_bytes", 409, (w) => twice(() => order(w, { attachments: ATTACHMENTS }))],
  ["an order with secrets", "kept_bytes", 409, (w) => twice(() => order(w, { envVars: { A: "x".repeat(600) } }))],
  ["an order without a quote", "quotes_per_hour", 429, (w) => twice(() => order(w))],
  ["a quote", "quotes_per_hour", 429, (w) => twice(() => order(w, { confirmed: false }))],
  [
    "a pull",
    "accepted_jobs",
    409,
    async (w) => {
      await accepted(w);
      await order(w);
      return w.bob.ask("POST", "/api/jobs/pull", {});
    },
  ],
  [
    "an accept",
    "accepted_jobs",
    409,
    async (w) => {
      await order(w);
      await order(w);
      const [one, other] = [await w.bob.pull(), await w.bob.pull()];
      expect((await w.bob.accept(one?.id ?? "")).status).toBe(200);
      return w.bob.accept(other?.id ?? "");
    },
  ],
  [
    "a submission",
    "kept_bytes",
    409,
    async (w) => {
      const ids = [await accepted(w), await accepted(w)];
      const hand_in = (id: string | undefined) =>
        w.bob.ask("POST", `/api/jobs/${id}/submit`, { output_text: "Done.", output_attachments: ATTACHMENTS });
      expect((await hand_in(ids[0])).status).toBe(200);
      return hand_in(ids[1]);
    },
  ],
  ["the comment /job", "jobs_under_way", 409, (w) => twice(() => comment(w, "/job say hello"))],
  ["the comment /job", "rounds_per_day", 429, (w) => twice(() => comment(w, "/job say hello"))],
  ["the comment /job --market", "open_orders", 409, (w) => twice(() => comment(w, "/job --market --price 5.00 go"))],
  [
    "the comment /job --market",
    "quotes_per_hour",
    429,
    (w) => twice(() => comment(w, "/job --market --price 5.00 go")),
  ],
  [
    "the button Retry",
    "jobs_under_way",
    409,
    async (w) => {
      w.market.server.github.push = () => "It cannot be pushed.";
      await comment(w, "/job say hello");
      const { jobs } = w.market.server.store;
      const failed = () => jobs.list({ status: "failed", limit: 1 });
      await until("the job has failed", async () => (await failed()).jobs.length === 1);
      const [job] = (await failed()).jobs;
      w.market.server.github.push = () => "later";
      await comment(w, "/job say bye");
      const check_run = {
        ...{ external_id: job?.id ?? "", head_sha: "d".repeat(40), name: "Journeyman", app: { id: 1 } },
        ...{ id: 1, status: "completed", conclusion: "failure", check_suite: { head_branch: job?.branch ?? "" } },
      };
      return comment(w, "", "check_run", { check_run, requested_action: { identifier: "retry" } });
    },
  ],
  ["the label", "jobs_under_way", 409, (w) => twice(() => comment(w, "", "issues"))],
];

const CODES = { 402: "in_debt", 409: "over_quota", 429: "rate_limited" } as const;

describe("the quotas of an account", () => {
  it.each(ENTRY_POINTS)(
    "%s is refused over %s, with %d and what to do next",
    async (_entry, quota, status, service) => {
      const most = quota === "kept_bytes" ? 1_000 : 1;
      const market = await startMarket({ quotas: { [quota]: most } });
      const world = { market, ada: await market.person("ada", 10_000), bob: await market.person("bob") };
      const refused = await service(world);
      const advice = /wait|cancel|later|finish|send less/;
      if (typeof refused === "string") return expect(refused).toMatch(advice);
      expect(refused).toMatchObject({ status, body: { code: CODES[status], error: expect.stringMatching(advice) } });
      if (status === 429) expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3_000);
    },
  );

  it("are of one account: another is not touched by them", async () => {
    const market = await startMarket({ quotas: { open_orders: 1, quotes_per_hour: 1, rounds_per_day: 1 } });
    const [ada, eve] = [await market.person("ada", 1_000), await market.person("eve", 1_000)];
    await ada.order();
    expect((await eve.order()).status).toBe("queued");
  });

  it("have room again when what filled them is over, or its hour is", async () => {
    const market = await startMarket({ quotas: { open_orders: 1, quotes_per_hour: 2 } });
    const ada = await market.person("ada", 1_000);
    const { id } = await ada.order();
    await ada.ask("POST", `/api/jobs/${id}/cancel`);
    await ada.order();
    const quote = { prompt: "How much?", price_cents: 500 };
    expect((await ada.ask("POST", "/api/jobs/run", quote)).status).toBe(429);
    market.clock.pass(3_600_000);
    expect((await ada.ask("POST", "/api/jobs/run", quote)).status).toBe(200);
  });

  it("count what is kept as before after a restart", async () => {
    const market = await startMarket({ quotas: { open_orders: 2, kept_bytes: 1_000 } });
    const ada = await market.person("ada", 2_000);
    await ada.order(500, { attachments: ATTACHMENTS });
    await market.restart();
    const again = { prompt: "More", price_cents: 500, confirmed: true };
    expect((await ada.ask("POST", "/api/jobs/run", { ...again, attachments: ATTACHMENTS })).status).toBe(409);
    await ada.order();
    expect((await ada.ask("POST", "/api/jobs/run", again)).status).toBe(409);
  });

  it("of turns and of estimates are as full after a restart as before, until their time is over", async () => {
    const market = await startMarket({ quotas: { rounds_per_day: 1, quotes_per_hour: 1 } });
    const ada = await market.person("ada", 1_000);
    const turn = () => ada.ask("POST", "/api/create-job", { job: "x" });
    const estimate = () => ada.ask("POST", "/api/jobs/run", { prompt: "How much?", price_cents: 500 });
    expect([(await turn()).status, (await estimate()).status]).toEqual([200, 200]);
    await market.restart();
    const refused = [await turn(), await estimate()];
    expect(refused.map(({ status, body }) => [status, Object(body).code])).toEqual([
      [429, "rate_limited"],
      [429, "rate_limited"],
    ]);
    market.clock.pass(3_600_000);
    await market.restart();
    expect([(await turn()).status, (await estimate()).status]).toEqual([429, 200]);
    market.clock.pass(23 * 3_600_000);
    expect((await turn()).status).toBe(200);
  });

  it("hold when everything is asked for at once", async () => {
    const market = await startMarket({ quotas: { open_orders: 3, accepted_jobs: 2 } });
    const [ada, bob] = [await market.person("ada", 10_000), await market.person("bob")];
    const body = (n: number) => ({ prompt: `Thing ${n}`, price_cents: 500, confirmed: true });
    const answers = await Promise.all([...Array(8).keys()].map((n) => ada.ask("POST", "/api/jobs/run", body(n))));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409, 409, 409, 409]);
    const held = await Promise.all([bob.pull(), bob.pull(), bob.pull()]);
    const taken = await Promise.all(held.map((job) => bob.accept(job?.id ?? "")));
    expect(taken.map(({ status }) => status).sort()).toEqual([200, 200, 409]);
  });

  it("are asked in one place: no other code estimates or keeps anything by itself", () => {
    const files = globSync("src/{http,engine,github,actions}/**/*.ts").filter((file) => !file.endsWith("quotas.ts"));
    const passing = files.filter((file) => /estimator\.estimate\(|blobs\.put\(/.test(readFileSync(file, "utf8")));
    expect(passing).toEqual([]);
  });
});

describe("an order that nobody pays", () => {
  it("ends after a day, and what came with it is kept no longer", async () => {
    const market = await startMarket();
    const ada = await market.person("ada", 10);
    const { id, status } = await ada.order(500, { attachments: ATTACHMENTS });
    expect(status).toBe("pending_payment");
    market.clock.pass(UNPAID_LIMIT_MS);
    const view = async () => viewSchema.parse((await ada.ask("GET", `/api/jobs/${id}`)).body);
    await until("it is over", async () => (await view()).status === "cancelled");
    const { blobs } = market.server.store;
    await until("nothing is kept", async () => (await blobs.all()).length === 0);
    expect(await ada.ask("POST", `/api/jobs/${id}/pay`)).toMatchObject({ status: 400 });
  });
});

describe("a worker", () => {
  it("may have one job more at once for each that was paid", async () => {
    const market = await startMarket({ quotas: { accepted_jobs: 1 } });
    const world = { market, ada: await market.person("ada", 10_000), bob: await market.person("bob") };
    market.server.github.opens = true;
    const id = await accepted(world);
    await world.bob.ask("POST", `/api/jobs/${id}/submit`, { output_text: "Done." });
    await until("the sender is asked", async () => {
      await world.ada.ask("POST", `/api/jobs/${id}/approve`);
      return (await world.bob.balance()) > 0;
    });
    await accepted(world);
    await market.restart();
    await accepted(world);
    await order(world);
    expect((await world.bob.ask("POST", "/api/jobs/pull", {})).status).toBe(409);
  });

  it("who fails jobs for nothing gets no other in their place for a day, also after a restart", async () => {
    const market = await startMarket({ quotas: { accepted_jobs: 2 } });
    const world = { market, ada: await market.person("ada", 10_000), bob: await market.person("bob") };
    const secrets = new Set<string>();
    for (let attempt = 0; attempt < 12; attempt++) {
      await order(world, { envVars: { SECRET: `s${attempt}` } });
      const pulled = await world.bob.ask("POST", "/api/jobs/pull", {});
      if (pulled.status !== 200) continue;
      const { id } = viewSchema.parse(pulled.body);
      if ((await world.bob.accept(id)).status === 200) secrets.add(id);
      await world.bob.ask("POST", `/api/jobs/${id}/fail`, { reason: "No." });
    }
    expect(secrets.size).toBe(2);
    await market.restart();
    const refused = await world.bob.ask("POST", "/api/jobs/pull", {});
    expect(refused).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining("2 attempts of its came to nothing") },
    });
    market.clock.pass(24 * 3_600_000);
    expect((await world.bob.ask("POST", "/api/jobs/pull", {})).status).toBe(200);
  });

  it("whose work the sender turns down loses no place by that", async () => {
    const market = await startMarket({ quotas: { accepted_jobs: 1 } });
    const world = { market, ada: await market.person("ada", 10_000), bob: await market.person("bob") };
    const id = await accepted(world);
    await world.bob.ask("POST", `/api/jobs/${id}/submit`, { output_text: "Done." });
    expect((await world.ada.ask("POST", `/api/jobs/${id}/reject-work`, { reason: "No." })).status).toBe(200);
    await accepted(world);
  });
});
