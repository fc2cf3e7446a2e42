/** What cannot be held to a budget is refused under one, in words, before it costs anything. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Job, type JobId, runOf } from "../../src/domain/job/job.ts";
import type { PlayJob } from "../sandbox/actions/job-input.ts";
import { ADMIN, DEMO } from "../sandbox/environment.ts";
import type { SandboxGitHub } from "../sandbox/github/sandbox-github.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";
import { scriptedRuns } from "./scripted-runs.ts";

const WORKFLOW = ".github/workflows/run-job.yml";
const BUDGET = "limits:\n  cost_cents: 300\nbudget:\n  day_cents: 500\n";
const TASK = "/job create FILE.md that says hello";

const current = (): Promise<string> => readFile(join(import.meta.dirname, "../..", WORKFLOW), "utf8");
const old = (): Promise<string> => readFile(join(import.meta.dirname, "../fixtures/run-job-0.1.yml"), "utf8");

const failed = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "failed", (one) => one.status === "failed");
const merged = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "merged", (one) => one.merged_at !== null);

const spent = async (harness: Harness): Promise<number> => {
  const { id = 0 } = (await harness.app.store.repositories.get(...demo())) ?? {};
  return (await harness.app.store.spending.spentIn({ repository_id: id }, harness.now())).day_cents;
};
function demo(): [string, string] {
  const [owner = "", name = ""] = DEMO.split("/");
  return [owner, name];
}

it("a workflow of before the gateway, until it is replaced", async () => {
  const settings = `auto_merge:\n  enabled: true\n${BUDGET}`;
  const harness = await startHarness({ settings, files: { [WORKFLOW]: await old() } });
  const issue = harness.ask(TASK);
  const { id } = await harness.jobOf(issue);
  const job = await failed(harness, id);
  expect(job.failure).toBe(
    "`.github/workflows/run-job.yml` of `main` does not use the run action, which keeps a run inside its cost limit, so the " +
      "job cannot be held to the budget that counts here. Replace that file there by the one that Journeyman's " +
      "docs/install.md shows, and try again.",
  );
  await until("the comment to say so", () => harness.comment(issue).includes("does not use the run action"));
  expect(harness.github.branches(DEMO)[job.branch]).toBeUndefined();
  expect(await spent(harness)).toBe(0);

  harness.github.pushCommit(DEMO, "main", { [WORKFLOW]: await current() }, ADMIN, "Replace the workflow");
  await until("the push to be read", async () => {
    const known = await harness.app.store.repositories.get(...demo());
    return known?.base?.has_gateway !== false;
  });
  harness.github.comment(DEMO, issue, { body: "/job retry", by: ADMIN });
  await merged(harness, id);
});

it("the old workflow of a job's own branch, whatever the default branch has by now", async () => {
  const harness = await startHarness({ settings: null, files: { [WORKFLOW]: await old() } });
  const issue = harness.ask(TASK);
  const first = await harness.jobOf(issue);
  const done = await untilJob(
    harness,
    first.id,
    "done",
    (one) => one.pull_request !== null && one.status !== "accepted",
  );
  const files = { [WORKFLOW]: await current(), ".github/journeyman.yml": BUDGET };
  harness.github.pushCommit(DEMO, "main", files, ADMIN, "Replace the workflow and set a budget");
  await until("the push to be read", async () => {
    const known = await harness.app.store.repositories.get(...demo());
    return known?.settings?.budget.day_cents === 500;
  });
  harness.github.comment(DEMO, done.pull_request?.number ?? 0, { body: "/job say more", by: ADMIN });
  const job = await failed(harness, first.id);
  expect(job.failure).toContain(`\`.github/workflows/run-job.yml\` of \`${job.branch}\` does not use the run action`);
});

it("a model without a known price, whoever's budget it is", async () => {
  const budgets = [
    [`llm:\n  model: house-model\n${BUDGET}`, {}],
    ["llm:\n  model: house-model\n", { ACCOUNT_BUDGET_DAY_CENTS: "500" }],
  ] as const;
  for (const [settings, variables] of budgets) {
    const harness = await startHarness({ settings }, variables);
    harness.github.setVariable(DEMO, "LLM_MODEL", "house-model");
    const issue = harness.ask(TASK);
    const job = await failed(harness, (await harness.jobOf(issue)).id);
    expect(job.failure).toContain(
      "`house-model` has no known price, so it cannot be held to the budget that counts here.",
    );
    expect(harness.github.branches(DEMO)[job.branch]).toBeUndefined();
    expect(await spent(harness)).toBe(0);
  }
});

/** All runs of jobs fail, and those that are started again wait until they are cancelled. */
const failing =
  (seen: number[]) =>
  (github: SandboxGitHub): PlayJob => {
    const others = scriptedRuns(github);
    return async (input) => {
      if (!input.subject.path.endsWith("/run-job.yml")) return others(input);
      const { id } = input.handle;
      seen.push(id);
      if (seen.filter((one) => one === id).length === 1) return { conclusion: "failure", outputs: {} };
      if (!input.cancel.aborted)
        await new Promise((resolve) => input.cancel.addEventListener("abort", resolve, { once: true }));
      return { conclusion: "cancelled", outputs: {} };
    };
  };

it("a run that somebody starts again on GitHub, which has no part of it", async () => {
  const seen: number[] = [];
  const harness = await startHarness({ settings: BUDGET.replace("500", "5000"), playJob: failing(seen) });
  const issue = harness.ask(TASK);
  const { id } = await harness.jobOf(issue);
  const job = await failed(harness, id);
  const before = await spent(harness);
  const run = runOf(job)?.id ?? 0;
  harness.github.rerun(DEMO, run);
  await until("the run to be cancelled", () =>
    harness.github.runs(DEMO).some((one) => one.id === run && one.attempt === 2 && one.conclusion === "cancelled"),
  );
  await until("the comment to say so", () =>
    harness
      .comment(issue)
      .includes(
        "A run that is started again on GitHub has no part of the budget, so it was cancelled; `/job retry` begins it within that.",
      ),
  );
  expect(await harness.job(id)).toMatchObject({ status: "failed", round: job.round, reserved: job.reserved });
  expect(await spent(harness)).toBe(before);
});
