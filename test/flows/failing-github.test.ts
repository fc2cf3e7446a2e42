import { describe, expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

const merged = (job: { merged_at: number | null }): boolean => job.merged_at !== null;
const HELLO = "/job create HELLO.md that says hello";

describe("GitHub in trouble", () => {
  it.each([
    ["5xx before the write", { status: 502, times: 2 }],
    ["5xx after the write", { status: 502, times: 1, before: false }],
    ["a secondary limit", { status: 403, secondary: true, retryAfter: 1, times: 1 }],
    ["429", { status: 429, retryAfter: 1, times: 1 }],
  ])("%s: nothing is lost and nothing is done twice", async (_name, fault) => {
    const harness = await startHarness();
    for (const path of [/\/git-receive-pack$/, /\/issues\/\d+\/comments$/, /\/pulls$/, /\/check-runs$/])
      harness.github.faults.add({ match: { method: "POST", path }, ...fault });
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "merged", merged);
    await harness.sandbox.idle();
    expect(harness.github.comments(DEMO, issue).filter((one) => one.user.endsWith("[bot]"))).toHaveLength(1);
    expect(harness.github.pulls(DEMO)).toHaveLength(1);
    expect(
      harness.github.runs(DEMO).filter((run) => run.path.endsWith("run-job.yml") && run.conclusion !== "skipped"),
    ).toHaveLength(1);
  });
});

it("keeps secrets out of logs, branch, check and comment", async () => {
  const harness = await startHarness({ realRuns: true });
  const issue = harness.ask("/job run env then create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  const job = await untilJob(harness, id, "merged", merged);
  await until("the last word", () => harness.comment(issue).includes("merged"));
  const seen = [
    harness.logged(),
    ...harness.github.comments(DEMO, issue).map((one) => one.body),
    JSON.stringify(harness.github.checkRuns(DEMO, job.head_sha ?? "")),
    JSON.stringify(await harness.app.store.jobs.load(id)),
  ].join("\n");
  expect(seen).not.toContain("sandbox-model-key");
  expect(seen).not.toMatch(/gh[sp]_[A-Za-z0-9_.-]{16}/);
  expect(seen).not.toContain("BEGIN PRIVATE KEY");
});
