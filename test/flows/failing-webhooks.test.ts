import { describe, expect, it } from "vitest";
import { CI_BEGINS_MS } from "../../src/domain/job/merge-verdict.ts";
import { EVERY_MS } from "../../src/engine/reconcile.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const merged = (job: { merged_at: number | null }): boolean => job.merged_at !== null;
const HELLO = "/job create HELLO.md that says hello";

const ciIsOver = (harness: Harness, id: string): Promise<unknown> =>
  until("CI to be over", () =>
    harness.github
      .runs(DEMO)
      .some((run) => run.name === "CI" && run.headBranch === `job/${id}` && run.status === "completed"),
  );

describe("an agent that fails", () => {
  it("is tried twice, and its partial work stays on the branch without a pull request", async () => {
    const harness = await startHarness();
    const issue = harness.ask("/job create PART.md that says part then fail");
    const { id } = await harness.jobOf(issue);
    const job = await untilJob(harness, id, "failed", (one) => one.status === "failed");
    expect(harness.github.pulls(DEMO)).toHaveLength(0);
    expect(harness.github.readFile(DEMO, job.branch, "PART.md")).toContain("part");
    await until("the comment", () => harness.comment(issue).includes(job.branch));
  });
});

describe("cancelling by comment", () => {
  it("ends a run that is under way and takes nothing to a pull request", async () => {
    const harness = await startHarness({ script: () => ({ stall: true }) as never });
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "accepted", (one) => one.status === "accepted");
    harness.github.comment(DEMO, issue, { body: "/job cancel", by: "ada" });
    await untilJob(harness, id, "cancelled", (one) => one.status === "cancelled");
    await until("the comment", () => /cancelled/i.test(harness.comment(issue)));
    expect(harness.github.pulls(DEMO)).toHaveLength(0);
    const run = harness.github.runs(DEMO).find((one) => one.headBranch === `job/${id}`);
    expect(run?.conclusion).toBe("cancelled");
  });
});

describe("webhooks", () => {
  it("that come twice and out of order change nothing", async () => {
    const harness = await startHarness();
    harness.github.webhooks.duplicate(() => true);
    // the comment before the issue that it stands on
    harness.github.webhooks.reorder(() => true, 2);
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "merged", merged);
    await harness.sandbox.idle();
    expect(harness.github.comments(DEMO, issue).filter((one) => one.user.endsWith("[bot]"))).toHaveLength(1);
    expect(harness.github.pulls(DEMO)).toHaveLength(1);
  });

  it("that are lost are made good at the next start", async () => {
    const harness = await startHarness();
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    harness.github.webhooks.drop((event) => event.event === "workflow_run" || event.event.startsWith("check_"), {
      silently: true,
    });
    await until("the run to be over", () =>
      harness.github.runs(DEMO).some((run) => run.headBranch === `job/${id}` && run.status === "completed"),
    );
    await harness.sandbox.idle();
    expect((await harness.job(id)).pull_request).toBeNull();
    await harness.restart();
    await untilJob(harness, id, "in review", (one) => one.pull_request !== null);
    await ciIsOver(harness, id);
    harness.pass(CI_BEGINS_MS);
    await untilJob(harness, id, "merged", merged);
  });

  it("that failed while the App was away are asked for again", async () => {
    const harness = await startHarness();
    harness.github.setWebhook({ url: "http://127.0.0.1:9/", secret: "nobody listens" });
    const issue = harness.ask(HELLO);
    await harness.github.idle();
    await harness.restart();
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "merged", merged);
  });
});

it("are looked for every hour, when even their failure was never told", async () => {
  const harness = await startHarness();
  const { id } = await harness.jobOf(harness.ask(HELLO));
  harness.github.webhooks.drop((event) => event.event === "workflow_run", { silently: true });
  await until("the run to be over", () =>
    harness.github.runs(DEMO).some((run) => run.headBranch === `job/${id}` && run.status === "completed"),
  );
  await harness.sandbox.idle();
  harness.pass(EVERY_MS);
  await untilJob(harness, id, "in review", (one) => one.pull_request !== null);
  await ciIsOver(harness, id);
  harness.pass(EVERY_MS);
  await untilJob(harness, id, "merged", merged);
});
