/**
 * A refusal by the model's provider, seen from the issue: one run, one comment that says what to do, no second attempt.
 */
import { describe, expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { errorBody } from "../sandbox/model/protocol.ts";
import { startHarness, until, untilJob } from "./harness.ts";

describe("a provider that no attempt can work with", () => {
  it.each([
    ["does not know the model", 404, "not_found_error", "model: claude-sonnet-5-5", "Change the name", "unknown_model"],
    ["refuses the key", 401, "authentication_error", "invalid x-api-key", "ANTHROPIC_API_KEY", "key_refused"],
    ["has no credit", 400, "invalid_request_error", "Your credit balance is too low", "add some", "no_credit"],
  ])("fails the job at once where it %s", async (_what, status, type, words, advice, code) => {
    const harness = await startHarness({ model: false, script: () => ({ status, body: errorBody(type, words) }) });
    const issue = harness.ask("/job create HELLO.md that says hello");
    const { id } = await harness.jobOf(issue);
    const job = await untilJob(harness, id, "failed", (one) => one.status === "failed");
    await harness.sandbox.idle();
    expect(job.result?.permanent_error).toBe(code);
    const runs = harness.github.runs(DEMO).filter(({ conclusion }) => conclusion !== "skipped");
    const ofJob = runs.filter(({ path, headBranch }) => path.endsWith("run-job.yml") && headBranch === job.branch);
    expect({ attempts: job.attempt, runs: ofJob.length }).toEqual({ attempts: 1, runs: 1 });
    await until("the comment to say what to do", () => harness.comment(issue).includes(advice));
    expect(harness.comment(issue)).toContain(words);
    const shown = [
      harness.comment(issue),
      ...harness.github.checkRuns(DEMO, job.branch).map(({ output }) => output.summary),
    ];
    expect(shown.join("\n")).not.toMatch(/"type"|\{"error/);
  });
});
