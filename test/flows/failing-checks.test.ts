import { describe, expect, it } from "vitest";
import { CI_BEGINS_MS } from "../../src/domain/job/merge-verdict.ts";
import { DEMO } from "../sandbox/environment.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import { startHarness, until, untilJob } from "./harness.ts";

const merged = (job: { merged_at: number | null }): boolean => job.merged_at !== null;
const HELLO = "/job create HELLO.md that says hello";

describe("checks", () => {
  it("that stay red fail the job after its second attempt, with a way to go on", async () => {
    const harness = await startHarness();
    const issue = harness.ask("/job create BROKEN that says broken");
    const { id } = await harness.jobOf(issue);
    const job = await untilJob(harness, id, "failed", (one) => one.status === "failed");
    expect(job).toMatchObject({ attempt_count: 4, merged_at: null });
    expect(job.failure).toContain("failed");
    await until("the comment to say how to go on", () => harness.comment(issue).includes("/job retry"));
    expect(harness.github.pulls(DEMO)).toHaveLength(1);
    expect(harness.github.pulls(DEMO)[0]?.merged).toBe(false);
    const check = await until("the buttons", () =>
      harness.github
        .checkRuns(DEMO, job.head_sha ?? "")
        .find((run) => run.name === "journeyman" && run.actions.length > 0),
    );
    expect(check).toMatchObject({ conclusion: "failure" });

    harness.github.clickCheckAction(DEMO, check.id, "discard", "rex");
    await harness.sandbox.idle();
    expect(harness.github.pulls(DEMO)[0]?.state).toBe("open");
    harness.github.clickCheckAction(DEMO, check.id, "discard", "ada");
    await until("the pull request to be closed", () => harness.github.pulls(DEMO)[0]?.state === "closed");
    await until("the branch to be gone", () => !(job.branch in harness.github.branches(DEMO)));
  });

  it("that are red once are repaired by the second attempt, which is told what failed", async () => {
    const told: string[] = [];
    const harness = await startHarness({
      script: (request) => {
        const text = JSON.stringify(request);
        const second = text.includes("failed.");
        if (second) told.push(text);
        const task = second ? "delete BROKEN then create HELLO.md that says hello" : "create BROKEN that says broken";
        return defaultScript(JSON.parse(text.replaceAll("MAKE IT SO", task)));
      },
    });
    const issue = harness.ask("/job MAKE IT SO");
    const { id } = await harness.jobOf(issue);
    const job = await untilJob(harness, id, "merged", merged);
    expect(job.attempt_count).toBe(3);
    expect(told.at(0)).toContain("check_log");
    expect(told.at(0)).toContain("##[error]");
    expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
    expect(harness.github.readFile(DEMO, "main", "BROKEN")).toBeUndefined();
  });

  it("that are missing altogether keep the pull request waiting, and say so", async () => {
    const harness = await startHarness({ files: { ".github/workflows/ci.yml": null } });
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "in review", (one) => one.pull_request !== null);
    harness.pass(CI_BEGINS_MS);
    await until("the comment to say what it waits for", () => /no check/i.test(harness.comment(issue)));
    expect((await harness.job(id)).status).toBe("submitted");
    await harness.github.mergeByHand(DEMO, (await harness.job(id)).pull_request?.number ?? 0, "ada");
    await untilJob(harness, id, "merged", merged);
  });

  it("that a rule requires and nobody makes are named within ten seconds, and so is a conflict", async () => {
    const harness = await startHarness({ files: { ".github/workflows/ci.yml": null } });
    harness.github.protect(DEMO, "main", { requiredChecks: ["e2e"], checkApps: { e2e: "github-actions" } });
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "in review", (one) => one.pull_request !== null);
    harness.pass(9_000);
    await until("the check to be named", () => /e2e has not reported, and a rule of main/.test(harness.comment(issue)));
    harness.github.pushCommit(DEMO, "main", { "HELLO.md": "hello from somebody else\n" }, "ada");
    await until("the conflict to be named", () => /conflicts with the base branch/.test(harness.comment(issue)));
    expect((await harness.job(id)).status).toBe("submitted");
  });

  it("are not needed where the settings say so", async () => {
    const harness = await startHarness({
      files: { ".github/workflows/ci.yml": null },
      settings: "auto_merge:\n  enabled: true\n  require_checks: false\n",
    });
    const { id } = await harness.jobOf(harness.ask(HELLO));
    await untilJob(harness, id, "in review", (one) => one.pull_request !== null);
    harness.pass(CI_BEGINS_MS);
    await untilJob(harness, id, "merged", merged);
  });
});
