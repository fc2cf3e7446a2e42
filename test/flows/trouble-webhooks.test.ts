import { describe, expect, it } from "vitest";
import { CI_BEGINS_MS } from "../../src/domain/job/verdict.ts";
import { EVERY_MS } from "../../src/engine/reconcile.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type House, startHouse, until, untilJob } from "./harness.ts";

const merged = (job: { merged_at: number | null }): boolean => job.merged_at !== null;
const HELLO = "/job create HELLO.md that says hello";

const ciIsOver = (house: House, id: string): Promise<unknown> =>
  until("CI to be over", () =>
    house.github
      .runs(DEMO)
      .some((run) => run.name === "CI" && run.headBranch === `job/${id}` && run.status === "completed"),
  );

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
    // the comment before the issue that it stands on
    house.github.webhooks.reorder(() => true, 2);
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
    await untilJob(house, id, "in review", (one) => one.pull_request !== null);
    await ciIsOver(house, id);
    house.pass(CI_BEGINS_MS);
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

it("are looked for every hour, when even their failure was never told", async () => {
  const house = await startHouse();
  const { id } = await house.jobOf(house.ask(HELLO));
  house.github.webhooks.drop((event) => event.event === "workflow_run", { silently: true });
  await until("the run to be over", () =>
    house.github.runs(DEMO).some((run) => run.headBranch === `job/${id}` && run.status === "completed"),
  );
  await house.town.idle();
  house.pass(EVERY_MS);
  await untilJob(house, id, "in review", (one) => one.pull_request !== null);
  await ciIsOver(house, id);
  house.pass(EVERY_MS);
  await untilJob(house, id, "merged", merged);
});
