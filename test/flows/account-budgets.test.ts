/** A server whose operator says how much the jobs of an account may cost, in all repositories together. */
import { expect, it } from "vitest";
import * as z from "zod";
import type { Job, JobId } from "../../src/domain/job/job.ts";
import { runOf } from "../../src/domain/job/job.ts";
import { startReceiver } from "../contract/receiver.ts";
import { ADMIN, DEMO, OWNER, WRITER } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";
import { heldRuns } from "./held-runs.ts";

const OTHER = `${OWNER}/other`;
const DAY_MS = 24 * 3_600_000;
const SETTINGS = "auto_merge:\n  enabled: true\nlimits:\n  cost_cents: 300\nbudget:\n  day_cents: 5000\n";

/** At noon of its day, with a second repository whose files are those of the first. */
async function startWithTwo(variables: Record<string, string> = {}) {
  const held = heldRuns();
  const harness = await startHarness({ settings: SETTINGS, ...held.options }, variables);
  harness.pass(DAY_MS + DAY_MS / 2 - (Date.now() % DAY_MS));
  const { github } = harness;
  const files = github.tree(DEMO, github.branches(DEMO).main ?? "");
  github.createRepository({ owner: OWNER, name: "other", autoMergeAllowed: true, files });
  github.setCollaborator(OTHER, WRITER, "write");
  github.setCollaborator(OTHER, ADMIN, "admin");
  const { api_key, base_url } = harness.sandbox.modelAccess;
  github.setSecret(OTHER, "ANTHROPIC_API_KEY", api_key);
  if (base_url !== null) github.setVariable(OTHER, "ANTHROPIC_BASE_URL", base_url);
  github.install(OTHER);
  return { harness, held };
}

async function ask(harness: Harness, repository: string, flags = "", by = WRITER) {
  const { github, app } = harness;
  const issue = github.openIssue(repository, { title: "Something to do", body: "As the comment says.", by });
  github.comment(repository, issue, { body: `/job ${flags}create FILE-${issue}.md that says hello`, by });
  const id = await until("a job", () => app.store.jobs.ofIssue(repository, issue));
  return { id, issue };
}

const waits = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "in line", (one) => one.line !== null);
const runs = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "at work", (one) => one.status === "accepted" && runOf(one) !== null);

const setBudget = (harness: Harness, body: object, account = WRITER) =>
  harness.request(`/api/accounts/${account}/budget`, { method: "PUT", body });

it("two repositories of an account cannot overrun its budget together, and more of it lets the next begin at once", async () => {
  const { harness, held } = await startWithTwo();
  await setBudget(harness, { day_cents: 500 });
  const first = await ask(harness, DEMO);
  expect((await runs(harness, first.id)).reserved).toMatchObject({ budgeted: true, cents: 300 });
  const second = await ask(harness, OTHER);
  expect((await runs(harness, second.id)).reserved).toMatchObject({ budgeted: true, cents: 200 });
  const third = await ask(harness, OTHER);
  expect((await waits(harness, third.id)).line).toMatchObject({ limit: "account_day_cents", most: 500 });
  const comments = () => harness.github.comments(OTHER, third.issue).map(({ body }) => body);
  const said = await until("the comment to say so", () => comments().find((body) => body.includes("Waiting in line")));
  expect(said).toContain(
    `the budget of today, $5.00, which this server allows ${WRITER}, is used up or reserved by jobs under way. ` +
      "It begins by itself when a run that costs less gives some back, or at 00:00 UTC.",
  );
  expect(said).not.toContain("--over-budget");
  // whoever else works there has a budget of their own
  const theirs = await ask(harness, OTHER, "", ADMIN);
  await runs(harness, theirs.id);

  expect((await setBudget(harness, { day_cents: 800 })).status).toBe(200);
  expect((await runs(harness, third.id)).reserved).toMatchObject({ cents: 300 });
  held.letAllGo();
  for (const { id } of [first, second, third, theirs])
    await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
});

it("what every account may spend holds over restarts and with --over-budget, and is there again on the next day", async () => {
  const { harness, held } = await startWithTwo({ ACCOUNT_BUDGET_DAY_CENTS: "300" });
  const first = await ask(harness, OTHER, "", ADMIN);
  await runs(harness, first.id);
  const second = await ask(harness, DEMO, "--over-budget ", ADMIN);
  expect((await waits(harness, second.id)).over_budget).toBe(true);
  await harness.restart();
  harness.github.comment(DEMO, second.issue, { body: "/job retry --over-budget", by: ADMIN });
  const actions = async () => {
    const entries: unknown = await (await harness.request(`/api/audit?job_id=${second.id}`)).json();
    return Array.isArray(entries) && entries.length > 1 ? entries.map((one) => `${one.action} by ${one.login}`) : null;
  };
  const by = `over-budget by ${ADMIN}`;
  expect(await until("the audit log to have both", actions)).toEqual([`retry-${by}`, `create-${by}`]);
  expect((await harness.job(second.id)).line).not.toBeNull();
  harness.pass(DAY_MS);
  await runs(harness, second.id);
  held.letAllGo();
  await untilJob(harness, second.id, "merged", (one) => one.merged_at !== null);
});

const eventSchema = z.object({
  type: z.string(),
  data: z.object({ subject: z.string(), text: z.string() }).loose(),
});

it("an account's webhooks and the log are told once when most of it is used, and once when jobs wait", async () => {
  const receiver = await startReceiver();
  try {
    const { harness, held } = await startWithTwo({ ACCOUNT_BUDGET_DAY_CENTS: "300" });
    const told = () => receiver.received.map((one) => eventSchema.parse(JSON.parse(one.body)));
    const first = await ask(harness, DEMO);
    await runs(harness, first.id);
    for (const account of [WRITER, ADMIN]) {
      const body = { account, repository: "*", scopes: ["read", "write"] };
      const made = await harness.request("/api/keys", { method: "POST", body });
      const { key } = z.object({ key: z.string() }).parse(await made.json());
      const events = ["account_budget.warning", "account_budget.exhausted"];
      const hook = { method: "POST", key, body: { url: `${receiver.url}?${account}`, events } };
      expect((await harness.request("/api/webhooks", hook)).status).toBe(201);
    }
    const second = await ask(harness, OTHER);
    await waits(harness, second.id);
    await until("the notice", () => told().length === 1);
    const third = await ask(harness, DEMO);
    await waits(harness, third.id);
    await harness.restart();
    const fourth = await ask(harness, OTHER);
    await waits(harness, fourth.id);
    held.letAllGo();
    await untilJob(harness, first.id, "merged", (one) => one.merged_at !== null);
    expect(told()).toMatchObject([
      {
        type: "account_budget.exhausted",
        data: { account: WRITER, subject: "account.day_cents", limit: 300, repository: OTHER },
      },
    ]);
    expect(told()[0]?.data.text).toContain(`of the $3.00 that this server allows ${WRITER} today are spent`);
    expect(receiver.received.map(({ path }) => path)).toEqual([expect.stringContaining(WRITER)]);
    expect(harness.logged()).toContain("account_budget.exhausted");
  } finally {
    await receiver.close();
  }
});
