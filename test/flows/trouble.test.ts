import { describe, expect, it } from "vitest";
import { defaultScript } from "../../src/sandbox/model/default-script.ts";
import { DEMO } from "../../src/sandbox/town.ts";
import { startHouse, until, untilJob } from "./house.ts";

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
    expect(told.length).toBeGreaterThan(0);
    expect(house.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
    expect(house.github.readFile(DEMO, "main", "BROKEN")).toBeUndefined();
  });

  it("that are missing altogether keep the pull request waiting, and say so", async () => {
    const house = await startHouse({ files: { ".github/workflows/ci.yml": null } });
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "in review", (one) => one.pull_request !== null);
    await until("the comment to say what it waits for", () => /no check/i.test(house.comment(issue)));
    expect((await house.job(id)).status).toBe("submitted");
    await house.github.mergeByHand(DEMO, (await house.job(id)).pull_request?.number ?? 0, "ada");
    await untilJob(house, id, "merged", merged);
  });

  it("are not needed where the settings say so", async () => {
    const house = await startHouse({
      files: { ".github/workflows/ci.yml": null },
      settings: "auto_merge:\n  enabled: true\n  require_checks: false\n",
    });
    const { id } = await house.jobOf(house.ask(HELLO));
    await untilJob(house, id, "merged", merged);
  });
});

describe("an agent that fails", () => {
  it("is tried twice, and its partial work stays on the branch without a pull request", async () => {
    const house = await startHouse();
    const issue = house.ask("/job create PART.md that says part then fail");
    const { id } = await house.jobOf(issue);
    const job = await untilJob(house, id, "failed", (one) => one.status === "failed");
    expect(house.github.pulls(DEMO)).toHaveLength(0);
    expect(house.github.readFile(DEMO, job.branch, "PART.md")).toContain("part");
    await until("the comment", () => house.comment(issue).includes(job.branch));
  });
});

describe("cancelling by comment", () => {
  it("ends a run that is under way and takes nothing to a pull request", async () => {
    const house = await startHouse({ script: () => ({ stall: true }) as never });
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "accepted", (one) => one.status === "accepted");
    house.github.comment(DEMO, issue, { body: "/job cancel", by: "ada" });
    await untilJob(house, id, "cancelled", (one) => one.status === "cancelled");
    await until("the comment", () => /cancelled/i.test(house.comment(issue)));
    expect(house.github.pulls(DEMO)).toHaveLength(0);
    const run = house.github.runs(DEMO).find((one) => one.headBranch === `job/${id}`);
    expect(run?.conclusion).toBe("cancelled");
  });
});

describe("webhooks", () => {
  it("that come twice and out of order change nothing", async () => {
    const house = await startHouse();
    house.github.webhooks.duplicate(() => true);
    house.github.webhooks.reorder(() => true, 3);
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "merged", merged);
    await house.town.idle();
    expect(house.github.comments(DEMO, issue).filter((one) => one.user.endsWith("[bot]"))).toHaveLength(1);
    expect(house.github.pulls(DEMO)).toHaveLength(1);
  });

  it("that are lost are made good at the next start", async () => {
    const house = await startHouse();
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    house.github.webhooks.drop((event) => event.event === "workflow_run" || event.event.startsWith("check_"), {
      silently: true,
    });
    await until("the run to be over", () =>
      house.github.runs(DEMO).some((run) => run.headBranch === `job/${id}` && run.status === "completed"),
    );
    await house.town.idle();
    expect((await house.job(id)).pull_request).toBeNull();
    await house.restart();
    await untilJob(house, id, "merged", merged);
  });

  it("that failed while the App was away are asked for again", async () => {
    const house = await startHouse();
    house.github.setWebhook({ url: "http://127.0.0.1:9/", secret: "nobody listens" });
    const issue = house.ask(HELLO);
    await house.github.idle();
    await house.restart();
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "merged", merged);
  });
});

describe("GitHub in trouble", () => {
  it.each([
    ["5xx before the write", { status: 502, times: 2 }],
    ["5xx after the write", { status: 502, times: 1, before: false }],
    ["a secondary limit", { status: 403, secondary: true, retryAfter: 1, times: 1 }],
    ["429", { status: 429, retryAfter: 1, times: 1 }],
  ])("%s: nothing is lost and nothing is done twice", async (_name, fault) => {
    const house = await startHouse();
    for (const path of [/\/git\/refs$/, /\/issues\/\d+\/comments$/, /\/pulls$/, /\/check-runs$/])
      house.github.faults.add({ match: { method: "POST", path }, ...fault });
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "merged", merged);
    await house.town.idle();
    expect(house.github.comments(DEMO, issue).filter((one) => one.user.endsWith("[bot]"))).toHaveLength(1);
    expect(house.github.pulls(DEMO)).toHaveLength(1);
    expect(
      house.github.runs(DEMO).filter((run) => run.path.endsWith("run-job.yml") && run.conclusion !== "skipped"),
    ).toHaveLength(1);
  });
});

it("keeps secrets out of logs, branch, check and comment", async () => {
  const house = await startHouse();
  const issue = house.ask("/job run env then create HELLO.md that says hello");
  const { id } = await house.jobOf(issue);
  const job = await untilJob(house, id, "merged", merged);
  await until("the last word", () => house.comment(issue).includes("merged"));
  const seen = [
    house.logged(),
    ...house.github.comments(DEMO, issue).map((one) => one.body),
    JSON.stringify(house.github.checkRuns(DEMO, job.head_sha ?? "")),
    JSON.stringify(await house.app.store.jobs.load(id)),
  ].join("\n");
  expect(seen).not.toContain("sandbox-model-key");
  expect(seen).not.toMatch(/gh[sp]_[A-Za-z0-9_.-]{16}/);
  expect(seen).not.toContain("BEGIN PRIVATE KEY");
});
