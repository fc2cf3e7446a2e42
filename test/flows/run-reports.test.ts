import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";
import { type Ending, reportingRuns } from "./reporting-runs.ts";

const harnessWith = (gate: Promise<void> = Promise.resolve()): Promise<Harness> =>
  startHarness({ playJob: reportingRuns(gate) });

async function asked(harness: Harness, ending: Ending): Promise<Job> {
  harness.github.resetCalls();
  return harness.jobOf(harness.ask(`/job ${ending} HELLO.md that says hello`));
}

const callsOf = (harness: Harness) =>
  harness.github
    .calls()
    .filter(({ actor, route }) => actor === "installation" && !route.endsWith("/access_tokens"))
    .map(({ kind, method, route, graphql }) => ({ kind, what: graphql || `${method} ${route}` }));

describe("a run that reports", () => {
  it("brings its work home in 9 writes and 3 reads, with nothing read from the branch and no commit of ours", async () => {
    const harness = await harnessWith();
    const { id, origin } = await asked(harness, "pushed");
    const job = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    const issue = "issue" in origin ? origin.issue : 0;
    await until("the last word", () => harness.comment(issue).includes("merged"));
    await harness.sandbox.idle();

    const calls = callsOf(harness);
    const list = calls.map(({ kind, what }) => `${kind} ${what}`).join("\n");
    // what is told again because this machine takes its time is no further kind of call
    const writes = calls.filter(
      ({ kind, what }) => kind === "write" && !what.startsWith("PATCH /repos/:owner/:repo/check"),
    );
    expect(new Set(writes.map(({ what }) => what)).size, list).toBeLessThanOrEqual(9);
    const reads = calls.filter(({ kind }) => kind === "read");
    expect(new Set(reads.map(({ what }) => what)).size, list).toBeLessThanOrEqual(3);
    expect(list).not.toMatch(/Result|Clean|compare/);

    expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toBe("hello\n");
    expect(harness.github.readFile(DEMO, "main", `.jobs/${id}/job.md`)).toBeUndefined();
    expect(job.result).toMatchObject({ title: "Say hello", changed_files: ["HELLO.md"] });
    const status = await (await harness.request(`/api/jobs/status?job_id=${id}`)).json();
    expect(status).toMatchObject({ status: "merged", log: "I begin.\nI work.\nI am done." });
    expect(harness.logged()).not.toMatch(/ghs_\d+_/);
  });

  it("has the branch read and cleaned as ever when it pushed with a token of its own", async () => {
    const harness = await harnessWith();
    const { id } = await asked(harness, "fallback");
    await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    expect(callsOf(harness).map(({ what }) => what)).toEqual(
      expect.arrayContaining([expect.stringContaining("Result"), expect.stringContaining("Clean")]),
    );
    expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toBe("hello\n");
    expect(harness.github.readFile(DEMO, "main", `.jobs/${id}/job.md`)).toBeUndefined();
  });

  it("merges nothing when its push never came", async () => {
    const harness = await harnessWith();
    const { id } = await asked(harness, "lost");
    const job = await untilJob(harness, id, "failed", (one) => one.status === "failed");
    expect(job.failure).toContain("its push did not reach the branch");
    expect(harness.github.pulls(DEMO)).toEqual([]);
    expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toBeUndefined();
  });

  it("finds its push when the webhook that tells of it is lost", async () => {
    const harness = await harnessWith();
    harness.github.webhooks.drop(({ event }) => event === "push", { silently: true });
    const { id } = await asked(harness, "pushed");
    await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    const calls = callsOf(harness).map(({ what }) => what);
    expect(calls.join("\n")).toMatch(/Result/);
    expect(calls.join("\n")).not.toMatch(/Clean|compare/);
  });

  it("shows in a check run how far it is, once it has lasted a while", async () => {
    const gate = Promise.withResolvers<void>();
    const harness = await harnessWith(gate.promise);
    const { id } = await asked(harness, "pushed");
    const log = async () => Object(await (await harness.request(`/api/jobs/status?job_id=${id}`)).json()).log;
    await until("the live lines", async () => (await log()) === "I begin.\nI work.");
    const { brief_sha, head_sha } = await harness.job(id);
    const checks = () => harness.github.checkRuns(DEMO, brief_sha ?? "").filter(({ name }) => name === "journeyman");
    expect([head_sha, checks()]).toEqual([brief_sha, []]);
    harness.pass(61_000);
    const check = await until("the check run", () => checks()[0]);
    expect(check).toMatchObject({ status: "in_progress" });
    expect(JSON.stringify(check.output)).toContain("I work.");
    gate.resolve();
    await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    await until("the left check to be closed", () => checks().every((one) => one.status === "completed"));
  });
});
