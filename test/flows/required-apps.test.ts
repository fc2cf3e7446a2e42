/** Required checks that a rule binds to the App that makes them. */
import { expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

const merged = (job: Job): boolean => job.merged_at !== null;
const BOUND = { requiredChecks: ["test"], checkApps: { test: "other-ci" } } as const;

it.each([
  ["a ruleset", false, /test has not reported from the App with the number \d+, which a rule of main names/],
  ["classic protection", true, /test has reported, but GitHub does not count it; a rule of main wants it/],
])("of %s wait for that App, whoever else reports under the name, and are named", async (_rule, classic, words) => {
  const harness = await startHarness();
  harness.github.protect(DEMO, "main", { ...BOUND, classic });
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  // the demo's own CI has a green check of that name
  await until("the words", () => words.test(harness.comment(issue)));
  const job = await harness.job(id);
  expect(job.merged_at).toBeNull();
  harness.github.createUser("other-ci[bot]", "Bot");
  harness.github.setStatus(DEMO, job.head_sha ?? "", "test", "success", "other-ci[bot]");
  await untilJob(harness, id, "merged", merged);
});
