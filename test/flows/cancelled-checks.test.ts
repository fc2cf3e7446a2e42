/** Checks that were cancelled: run again by the App once, and then by a person. */
import { expect, it } from "vitest";
import type { PlayJob } from "../sandbox/actions/job-input.ts";
import { DEMO } from "../sandbox/environment.ts";
import type { SandboxGitHub } from "../sandbox/github/sandbox-github.ts";
import { startHarness, until, untilJob } from "./harness.ts";
import { scriptedRuns } from "./scripted-runs.ts";

/** The first attempts of CI's runs on a pull request are cancelled, this many of each. */
const cancelling =
  (times: number) =>
  (github: SandboxGitHub): PlayJob =>
  async (input) => {
    const { trigger } = input.subject;
    const isCancelled = trigger.event === "pull_request" && input.handle.attempt <= times;
    return isCancelled ? { conclusion: "cancelled", outputs: {} } : scriptedRuns(github)(input);
  };

it("checks of a pull request that were cancelled are run again once, and it merges", async () => {
  const harness = await startHarness({ playJob: cancelling(1) });
  const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
  const job = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  expect(job).toMatchObject({ attempt_count: 1, rerun_sha: job.head_sha });
  expect(harness.github.calls().filter(({ path }) => path.endsWith("/rerun"))).toHaveLength(1);
});

it("checks that are cancelled again wait for a person, who is told so, and fail nothing", async () => {
  const harness = await startHarness({ playJob: cancelling(2) });
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  await until("the comment to say who goes on", () =>
    /was cancelled .* run it again on GitHub/.test(harness.comment(issue)),
  );
  expect(await harness.job(id)).toMatchObject({ status: "submitted", attempt_count: 1 });
  expect(harness.github.calls().filter(({ path }) => path.endsWith("/rerun"))).toHaveLength(1);
  const run = harness.github.runs(DEMO).find(({ event }) => event === "pull_request");
  harness.github.rerun(DEMO, run?.id ?? 0);
  await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
});
