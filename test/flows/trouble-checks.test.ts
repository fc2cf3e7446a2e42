import { describe, expect, it } from "vitest";
import { CI_BEGINS_MS } from "../../src/domain/job/verdict.ts";
import { DEMO } from "../sandbox/environment.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import { startHouse, until, untilJob } from "./harness.ts";

const merged = (job: { merged_at: number | null }): boolean => job.merged_at !== null;
const HELLO = "/job create HELLO.md that says hello";

describe("checks", () => {
  it("that stay red fail the job after its second try, with a way to go on", async () => {
    const house = await startHouse();
    const issue = house.ask("/job create BROKEN that says broken");
    const { id } = await house.jobOf(issue);
    const job = await untilJob(house, id, "failed", (one) => one.status === "failed");
    expect(job).toMatchObject({ attempt_count: 4, merged_at: null });
    expect(job.failure).toContain("failed");
    await until("the comment to say how to go on", () => house.comment(issue).includes("/job retry"));
    expect(house.github.pulls(DEMO)).toHaveLength(1);
    expect(house.github.pulls(DEMO)[0]?.merged).toBe(false);
    const check = await until("the buttons", () =>
      house.github
        .checkRuns(DEMO, job.head_sha ?? "")
        .find((run) => run.name === "journeyman" && run.actions.length > 0),
    );
    expect(check).toMatchObject({ conclusion: "failure" });

    house.github.clickCheckAction(DEMO, check.id, "discard", "rex");
    await house.town.idle();
    expect(house.github.pulls(DEMO)[0]?.state).toBe("open");
    house.github.clickCheckAction(DEMO, check.id, "discard", "ada");
    await until("the pull request to be closed", () => house.github.pulls(DEMO)[0]?.state === "closed");
    await until("the branch to be gone", () => !(job.branch in house.github.branches(DEMO)));
  });

  it("that are red once are repaired by the second try, which is told what failed", async () => {
    const told: string[] = [];
    const house = await startHouse({
      realRuns: true,
      script: (request) => {
        const text = JSON.stringify(request);
        const second = text.includes("failed.");
        if (second) told.push(text);
        const task = second ? "delete BROKEN then create HELLO.md that says hello" : "create BROKEN that says broken";
        return defaultScript(JSON.parse(text.replaceAll("MAKE IT SO", task)));
      },
    });
    const issue = house.ask("/job MAKE IT SO");
    const { id } = await house.jobOf(issue);
    const job = await untilJob(house, id, "merged", merged);
    expect(job.attempt_count).toBe(3);
    expect(told.at(0)).toContain("check_log");
    expect(told.at(0)).toContain("##[error]");
    expect(house.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
    expect(house.github.readFile(DEMO, "main", "BROKEN")).toBeUndefined();
  });

  it("that are missing altogether keep the pull request waiting, and say so", async () => {
    const house = await startHouse({ files: { ".github/workflows/ci.yml": null } });
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "in review", (one) => one.pull_request !== null);
    house.pass(CI_BEGINS_MS);
    await until("the comment to say what it waits for", () => /no check/i.test(house.comment(issue)));
    expect((await house.job(id)).status).toBe("submitted");
    await house.github.mergeByHand(DEMO, (await house.job(id)).pull_request?.number ?? 0, "ada");
    await untilJob(house, id, "merged", merged);
  });

  it("that a rule requires and nobody makes are named within ten seconds, and so is a conflict", async () => {
    const house = await startHouse({ files: { ".github/workflows/ci.yml": null } });
    house.github.protect(DEMO, "main", { requiredChecks: ["e2e"], checkApps: { e2e: "github-actions" } });
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "in review", (one) => one.pull_request !== null);
    house.pass(9_000);
    await until("the check to be named", () => /e2e has not reported, and a rule of main/.test(house.comment(issue)));
    house.github.pushCommit(DEMO, "main", { "HELLO.md": "hello from somebody else\n" }, "ada");
    await until("the conflict to be named", () => /conflicts with the base branch/.test(house.comment(issue)));
    expect((await house.job(id)).status).toBe("submitted");
  });

  it("are not needed where the settings say so", async () => {
    const house = await startHouse({
      files: { ".github/workflows/ci.yml": null },
      settings: "auto_merge:\n  enabled: true\n  require_checks: false\n",
    });
    const { id } = await house.jobOf(house.ask(HELLO));
    await untilJob(house, id, "in review", (one) => one.pull_request !== null);
    house.pass(CI_BEGINS_MS);
    await untilJob(house, id, "merged", merged);
  });
});
