/** A repository whose settings say how much its jobs may cost in a day and in a month. */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { briefSchema, CONFIG_FILE, jobFolder } from "../../src/contracts/brief.ts";
import { asJobId, type Job, type JobId, runOf } from "../../src/domain/job/job.ts";
import { automationDraft } from "../../src/engine/start-automation.ts";
import { type Receiver, startReceiver } from "../contract/receiver.ts";
import { ADMIN, DEMO, WRITER } from "../sandbox/environment.ts";
import { type Harness, type HarnessOptions, startHarness, until, untilJob } from "./harness.ts";
import { heldRuns } from "./held-runs.ts";

const TASK = (nth: number, flags = ""): string => `/job ${flags}create FILE-${nth}.md that says hello`;
const settings = (budget: string): string =>
  `auto_merge:\n  enabled: true\nlimits:\n  cost_cents: 300\nbudget:\n  ${budget}\n`;
const DAY_MS = 24 * 3_600_000;

/** At noon of its day: what a budget is of does not end while a test looks at it. */
async function startAtNoon(options: HarnessOptions): Promise<Harness> {
  const harness = await startHarness(options);
  harness.pass(DAY_MS + DAY_MS / 2 - (Date.now() % DAY_MS));
  return harness;
}

const waits = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "in line", (one) => one.line !== null);
const runs = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "at work", (one) => one.status === "accepted" && runOf(one) !== null);
const merged = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "merged", (one) => one.merged_at !== null);

function briefOf(harness: Harness, { id, branch }: Job) {
  const sha = harness.github.branches(DEMO)[branch] ?? "";
  return briefSchema.parse(JSON.parse(harness.github.tree(DEMO, sha)[`${jobFolder(id)}/${CONFIG_FILE}`] ?? ""));
}

const auditSchema = z.array(
  z.object({
    action: z.string(),
    login: z.string().nullable(),
    target: z.object({ id: z.string() }).nullable(),
    outcome: z.string(),
  }),
);

const eventSchema = z.object({
  type: z.string(),
  data: z.object({ subject: z.string(), text: z.string() }).loose(),
});

/** What a webhook of the repository is told of its budget. */
async function toldOfBudget(harness: Harness, receiver: Receiver) {
  const body = { account: WRITER, repository: DEMO, scopes: ["read", "write"] };
  const made = await harness.request("/api/keys", { method: "POST", body });
  const { key } = z.object({ key: z.string() }).parse(await made.json());
  const hook = { url: receiver.url, events: ["budget.warning", "budget.exhausted"] };
  expect((await harness.request("/api/webhooks", { method: "POST", key, body: hook })).status).toBe(201);
  return () => receiver.received.map((one) => eventSchema.parse(JSON.parse(one.body)));
}

describe("jobs of a repository with a budget", () => {
  it("have its webhooks told once a day when most of it is used, and once when jobs wait", async () => {
    const receiver = await startReceiver();
    try {
      const held = heldRuns();
      const harness = await startAtNoon({ settings: settings("day_cents: 500\n  jobs_per_day: 5"), ...held.options });
      const ids: JobId[] = [];
      const ask = async (nth: number): Promise<JobId> => {
        const { id } = await harness.jobOf(harness.ask(TASK(nth)));
        ids.push(id);
        return id;
      };
      await runs(harness, await ask(1));
      // an account is known by its person's number from their first command on
      const told = await toldOfBudget(harness, receiver);
      await runs(harness, await ask(2));
      await waits(harness, await ask(3));
      await waits(harness, await ask(4));
      const day = new Date(harness.now()).toISOString().slice(0, 10);
      await until("both", () => told().length === 2);
      held.letAllGo();
      for (const id of ids) await merged(harness, id);
      const [wait, jobs] = told().toSorted((a, b) => (a.data.subject < b.data.subject ? -1 : 1));
      expect(wait).toMatchObject({
        type: "budget.exhausted",
        data: { subject: "budget.day_cents", period: day, limit: 500, repository: DEMO },
      });
      expect(wait?.data.text).toContain("`/job retry --over-budget`");
      expect(jobs).toMatchObject({
        type: "budget.warning",
        data: {
          subject: "budget.jobs_per_day",
          used: 4,
          text: "Jobs of today: 4 of 5. If more are needed, raise `budget.jobs_per_day` in `.github/journeyman.yml`.",
        },
      });
      expect(told()).toHaveLength(2);
      await harness.restart();
      await merged(harness, await ask(5));
      await until("the last job of the day", () => told().length === 3);
      expect(told()[2]).toMatchObject({ type: "budget.exhausted", data: { subject: "budget.jobs_per_day", used: 5 } });
    } finally {
      await receiver.close();
    }
  });

  it("hold what they have reserved while some of them still have the repository's former name", async () => {
    const held = heldRuns();
    const harness = await startAtNoon({ settings: settings("day_cents: 300"), ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await runs(harness, first.id);
    const [owner = "", name = ""] = DEMO.split("/");
    const known = await harness.app.store.repositories.get(owner, name);
    if (known === null) throw new Error("the repository is not known");
    const repository = { ...known, name: "renamed" };
    await harness.app.engine.observe(repository);
    const origin = { kind: "trigger", name: "call", event: "1" } as const;
    const made = await harness.app.engine.create(automationDraft({ repository, origin, task: "create B.md" }));
    expect(made).toMatchObject({ ok: true, job: { reserved: null, line: { limit: "day_cents" } } });
    held.letAllGo();
  });

  it("reserve their cap, and the last that begins gets what is left of the day", async () => {
    const held = heldRuns();
    const harness = await startAtNoon({ settings: settings("day_cents: 500"), ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    const started = await runs(harness, first.id);
    expect(started.reserved).toMatchObject({ budgeted: true, cents: 300 });
    const second = await harness.jobOf(harness.ask(TASK(2)));
    expect((await runs(harness, second.id)).reserved).toMatchObject({ budgeted: true, cents: 200 });
    expect(briefOf(harness, second)).toMatchObject({ budgeted: true, limits: { cost_cents: 200 } });

    const issue = harness.ask(TASK(3));
    const third = await harness.jobOf(issue);
    await waits(harness, third.id);
    const said = await until("the comment to say so", () => /Waiting in line.*/s.exec(harness.comment(issue))?.[0]);
    expect(said).toContain(
      "since the budget of today, $5.00 is used up or reserved by jobs under way (`budget.day_cents`). It begins by itself " +
        "when a run that costs less gives some back, or at 00:00 UTC, or an admin of the repository says " +
        "`/job retry --over-budget`.",
    );
    expect(harness.github.branches(DEMO)[third.branch]).toBeUndefined();

    // what the first has not used is there for the third
    held.letGo(first);
    await merged(harness, first.id);
    await runs(harness, third.id);
    held.letAllGo();
    for (const { id } of [second, third]) await merged(harness, id);
  });

  it("go on by themselves on the next day", async () => {
    const held = heldRuns();
    const harness = await startAtNoon({ settings: settings("day_cents: 300"), ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await runs(harness, first.id);
    const second = await harness.jobOf(harness.ask(TASK(2)));
    await waits(harness, second.id);
    await harness.restart();
    harness.pass(DAY_MS);
    await runs(harness, second.id);
    held.letAllGo();
    await merged(harness, second.id);
  });

  it("go beyond it where an admin says so, and nobody else's word counts", async () => {
    const held = heldRuns();
    const harness = await startAtNoon({ settings: settings("month_cents: 300"), ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await runs(harness, first.id);
    const issue = harness.ask(TASK(2));
    const second = await harness.jobOf(issue);
    await waits(harness, second.id);
    harness.github.comment(DEMO, issue, { body: "/job retry --over-budget", by: "ada" });
    const replies = () => harness.github.comments(DEMO, issue).map(({ body }) => body);
    await until("a refusal", () => replies().some((body) => body.includes("Only somebody who administers")));
    expect((await harness.job(second.id)).line).not.toBeNull();
    harness.github.comment(DEMO, issue, { body: "/job retry --over-budget", by: ADMIN });
    expect((await runs(harness, second.id)).over_budget).toBe(true);
    const third = await harness.jobOf(harness.ask(TASK(3, "--over-budget "), ADMIN));
    expect((await runs(harness, third.id)).reserved).toMatchObject({ budgeted: false, cents: 300 });
    held.letAllGo();
    for (const { id } of [first, second, third]) await merged(harness, id);
    harness.ask(TASK(4, "--over-budget "), WRITER);
    const audit = await until("all of it in the audit log", async () => {
      const entries = auditSchema.parse(await (await harness.request("/api/audit")).json());
      const about = entries.filter(({ action }) => action.endsWith("-over-budget"));
      return about.length >= 4 ? about : null;
    });
    expect(audit.toReversed()).toMatchObject([
      { action: "retry-over-budget", login: WRITER, target: { id: second.id }, outcome: "forbidden" },
      { action: "retry-over-budget", login: ADMIN, target: { id: second.id }, outcome: "done" },
      { action: "create-over-budget", login: ADMIN, target: { id: third.id }, outcome: "done" },
      { action: "create-over-budget", login: WRITER, target: null, outcome: "forbidden" },
    ]);
  });

  it("go beyond it for a key of scope admin that says so, and for no other key", async () => {
    const held = heldRuns();
    const harness = await startAtNoon({ settings: settings("day_cents: 300"), ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await runs(harness, first.id);
    const made = await harness.request("/api/keys", {
      method: "POST",
      body: { account: WRITER, repository: DEMO, scopes: ["read", "write"] },
    });
    const { key } = z.object({ key: z.string() }).parse(await made.json());
    const asked = { method: "POST", body: { job: "create TWO.md that says 2", over_budget: true } };
    const denied = await harness.request("/api/create-job", { ...asked, key });
    expect(denied.status).toBe(403);
    expect(await denied.json()).toMatchObject({
      code: "missing_scope",
      error: expect.stringContaining("Only a key with the scope admin may go beyond the repository's budget"),
    });
    const answer = await harness.request("/api/create-job", asked);
    expect(answer.status).toBe(200);
    const created = z.object({ job_id: z.string() }).parse(await answer.json());
    const id = asJobId(created.job_id);
    if (id === null) throw new Error("no id of a job");
    expect((await runs(harness, id)).reserved).toMatchObject({ budgeted: false, cents: 300 });
    const entries = auditSchema.parse(await (await harness.request("/api/audit")).json());
    expect(entries.filter(({ action }) => action === "create-over-budget").toReversed()).toMatchObject([
      { target: null, outcome: "missing_scope" },
      { target: { id }, outcome: "done" },
    ]);
    held.letAllGo();
    await merged(harness, id);
  });

  it("begin with all of a budget that is smaller than what others wait for", async () => {
    const harness = await startAtNoon({ settings: settings("day_cents: 20") });
    const issue = harness.ask(TASK(1));
    const { id } = await harness.jobOf(issue);
    const job = await merged(harness, id);
    expect(job.reserved).toMatchObject({ budgeted: true, cents: 20 });
    const second = await harness.jobOf(harness.ask(TASK(2)));
    await waits(harness, second.id);
    harness.pass(DAY_MS);
    await merged(harness, second.id);
  });

  it("are refused with a sentence once as many were created as a day may have", async () => {
    const harness = await startAtNoon({ settings: settings("jobs_per_day: 1") });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await merged(harness, first.id);
    const issue = harness.ask(TASK(2));
    const said = await until("the reply", () =>
      harness.github.comments(DEMO, issue).find(({ body }) => body.includes("jobs_per_day")),
    );
    expect(said.body).toContain(
      `In ${DEMO} 1 job was created today, which is the most (\`budget.jobs_per_day\`); ask again at 00:00 UTC, or an ` +
        "admin of the repository says `/job --over-budget …`.",
    );
  });

  it("are told so where their caller waits for the branch", async () => {
    const held = heldRuns();
    const harness = await startAtNoon({ settings: settings("day_cents: 300"), ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await runs(harness, first.id);
    const answer = await harness.request("/api/create-job", {
      method: "POST",
      body: { job: "create TWO.md that says 2" },
    });
    expect(answer.status).toBe(429);
    expect(await answer.json()).toMatchObject({
      code: "rate_limited",
      error: expect.stringContaining("the budget of today, $3.00"),
    });
    held.letAllGo();
    await merged(harness, first.id);
  });
});
