/** Base branches that take merges through GitHub's merge queue alone. */
import { describe, expect, it } from "vitest";
import type { Job, JobId } from "../../src/domain/job/job.ts";
import { demoFiles } from "../sandbox/demo/demo-files.ts";
import { ADMIN, DEMO, type SandboxSetup } from "../sandbox/environment.ts";
import { PERMISSIONS } from "../sandbox/github/app-permissions.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const CI = ".github/workflows/ci.yml";
const withQueue = (demoFiles()[CI] ?? "").replace("  pull_request:\n", "  pull_request:\n  merge_group:\n");
/** CI that the queue waits for and nobody starts. */
const withoutQueue = demoFiles()[CI] ?? "";
const QUEUE = { method: "squash", builds: 2 } as const;

async function queued(ci: string, options: SandboxSetup = {}): Promise<Harness> {
  const harness = await startHarness({ ...options, files: { [CI]: ci, ...options.files } });
  harness.github.protect(DEMO, "main", { requiredChecks: ["test"], mergeQueue: QUEUE });
  return harness;
}

const merged = (job: Job): boolean => job.merged_at !== null;
const inQueue = ({ merge }: Job): boolean => merge.state === "queued" && merge.entered_at !== null;
const isOff = ({ merge }: Job): boolean => merge.state === "off";

const calls = ({ github }: Harness, name: string): number =>
  github.calls().filter(({ graphql }) => graphql === name).length;

/** A job that waits in the queue, whose checks do not come. */
async function waiting(options: SandboxSetup = {}) {
  const harness = await queued(withoutQueue, options);
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  const job = await untilJob(harness, id, "in the queue", inQueue);
  return { harness, issue, id, number: job.pull_request?.number ?? 0 };
}

/** The check of the queue's commit, as another CI would report it. */
function report(harness: Harness, number: number, state: "success" | "failure"): void {
  const [branch = ""] = Object.keys(harness.github.branches(DEMO)).filter((name) => name.includes(`/pr-${number}-`));
  harness.github.setStatus(DEMO, harness.github.branches(DEMO)[branch] ?? "", "test", state);
}

const becomes = (harness: Harness, id: JobId, what: string, holds: (job: Job) => boolean) =>
  untilJob(harness, id, what, holds);

describe("a merge queue", () => {
  it("gets the pull request when all is green, once, and merges it", async () => {
    const harness = await queued(withQueue);
    const issue = harness.ask("/job create HELLO.md that says hello");
    const { id } = await harness.jobOf(issue);
    const job = await becomes(harness, id, "merged", merged);
    expect(calls(harness, "Enqueue")).toBe(1);
    expect(harness.github.calls().some(({ path, method }) => method === "PUT" && path.endsWith("/merge"))).toBe(false);
    expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
    expect(job.merge_queue).toMatchObject({ exits: 0, rounds: 0 });
    await until("the branch to be gone", () => !(job.branch in harness.github.branches(DEMO)));
    await until("the comment to say so", () => harness.comment(issue).includes("**Merged**"));
  });

  it("shows the place of each, which moves on, and a check that stays true", async () => {
    const first = await waiting();
    const { harness } = first;
    const issue = harness.ask("/job create MORE.md that says more");
    const { id } = await harness.jobOf(issue);
    await becomes(harness, id, "in the queue", inQueue);
    await until("the first place", () => /in the merge queue, position 1/.test(harness.comment(first.issue)));
    await until("the second place", () => /in the merge queue, position 2/.test(harness.comment(issue)));
    const { head_sha } = await harness.job(id);
    await until("the check", () =>
      harness.github
        .checkRuns(DEMO, head_sha ?? "")
        .some(({ name, output }) => name === "journeyman" && /merge queue was told/.test(output.summary ?? "")),
    );
    report(harness, first.number, "success");
    await becomes(harness, first.id, "merged", merged);
    await until("the place to move on", () => /in the merge queue, position 1/.test(harness.comment(issue)));
    await harness.sandbox.idle();
    report(harness, (await harness.job(id)).pull_request?.number ?? 0, "success");
    await becomes(harness, id, "merged", merged);
  });

  it("that takes an order and does not follow it is asked again", async () => {
    const harness = await startHarness({ files: { [CI]: withQueue } });
    harness.github.protect(DEMO, "main", { requiredChecks: ["test"], mergeQueue: QUEUE });
    harness.github.swallowQueueOrders(DEMO, 2);
    const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
    await becomes(harness, id, "merged", merged);
    expect(calls(harness, "Enqueue")).toBe(3);
  });

  it("that never follows an order is left to a person, who is told", async () => {
    const harness = await startHarness({ files: { [CI]: withQueue } });
    harness.github.protect(DEMO, "main", { requiredChecks: ["test"], mergeQueue: QUEUE });
    harness.github.swallowQueueOrders(DEMO, 100);
    const issue = harness.ask("/job create HELLO.md that says hello");
    const { id } = await harness.jobOf(issue);
    await becomes(harness, id, "left alone", isOff);
    expect(calls(harness, "Enqueue")).toBe(5);
    await until("the reason", () => /did not add it to the merge queue/.test(harness.comment(issue)));
  });

  it("is used without the permission that shows places, which the owner has not accepted", async () => {
    const { merge_queues: _, ...permissions } = PERMISSIONS;
    const harness = await queued(withQueue);
    harness.github.install(DEMO, { permissions });
    const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
    await becomes(harness, id, "merged", merged);
    expect(harness.github.deliveries().some(({ event }) => event === "merge_group")).toBe(false);
  });

  it("is told by GitHub itself where auto-merge is allowed and a review is missing", async () => {
    const harness = await startHarness({ files: { [CI]: withQueue } });
    harness.github.setRepository(DEMO, { autoMergeAllowed: true });
    harness.github.protect(DEMO, "main", { requiredChecks: ["test"], requiredReviews: 1, mergeQueue: QUEUE });
    const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
    const job = await becomes(harness, id, "ordered", ({ merge }) => merge.state === "auto");
    harness.github.review(DEMO, job.pull_request?.number ?? 0, { state: "APPROVED", by: ADMIN });
    await becomes(harness, id, "merged", merged);
  });
});

describe("work that a merge queue throws out", () => {
  it("for red checks gets another round, which is told of them with their logs", async () => {
    const told: string[] = [];
    const harness = await queued(withQueue, {
      script: (request) => {
        const text = JSON.stringify(request);
        if (text.includes("The merge queue has tested")) told.push(text);
        return defaultScript(
          JSON.parse(text.replaceAll("The merge queue has tested", "create MORE.md that says more. ")),
        );
      },
    });
    // green by itself, and red on top of what main is by then
    const stop = harness.github.onChange(({ kind, text }) => {
      if (kind !== "merge_queue" || !text.includes("was added")) return;
      stop();
      harness.github.pushCommit(DEMO, "main", { BROKEN: "broken\n" }, "ada");
    });
    const issue = harness.ask("/job create HELLO.md that says hello");
    const { id } = await harness.jobOf(issue);
    const again = await becomes(harness, id, "in another round", ({ round }) => round === 2);
    harness.github.pushCommit(DEMO, "main", { BROKEN: null }, "ada");
    expect(again.merge_queue).toMatchObject({ rounds: 1 });
    expect(again.failure).toContain("The check “test” failed.");
    const job = await becomes(harness, id, "merged", merged);
    expect(job.round).toBe(2);
    expect(told.at(0)).toContain("##[error]");
    expect(harness.github.readFile(DEMO, "main", "MORE.md")).toContain("more");
  });

  it("for red checks before the App has seen it there gets its round all the same", async () => {
    const harness = await queued(withQueue, {
      script: (request) =>
        defaultScript(
          JSON.parse(
            JSON.stringify(request).replaceAll("The merge queue has tested", "create MORE.md that says more. "),
          ),
        ),
    });
    const stop = harness.github.onChange(({ kind, text }) => {
      if (kind !== "merge_queue" || !text.includes("was added")) return;
      stop();
      harness.github.takeOutOfQueue(DEMO, Number(/#(\d+)/.exec(text)?.[1]), null, "CI_FAILURE");
    });
    const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
    const job = await becomes(harness, id, "merged", merged);
    expect(job).toMatchObject({ round: 2, merge_queue: { rounds: 1 } });
  });

  it("for red checks again and again is left to a person after two rounds", async () => {
    const { harness, issue, id, number } = await waiting({
      script: (request) => {
        const [first = "", ...others] = JSON.stringify(request).split("The merge queue has tested");
        return defaultScript(JSON.parse([first, ...others].join(`create MORE.md that says ${others.length}`)));
      },
    });
    for (const round of [1, 2, 3]) {
      await becomes(harness, id, "in the queue", (job) => job.round === round && inQueue(job));
      await harness.sandbox.idle();
      report(harness, number, "failure");
    }
    await becomes(harness, id, "left alone", isOff);
    expect((await harness.job(id)).round).toBe(3);
    await until("the reason", () => /its checks failed in the merge queue: test/.test(harness.comment(issue)));
  });

  it("by a person stays out, and says whose word that is", async () => {
    const { harness, issue, id, number } = await waiting();
    harness.github.takeOutOfQueue(DEMO, number, "ada");
    await becomes(harness, id, "left alone", isOff);
    await until("the reason", () => /ada has taken it out of the merge queue/.test(harness.comment(issue)));
    expect(harness.github.mergeQueue(DEMO, "main")).toEqual([]);
  });

  it("for time is added again, which is said, and after the third time left to a person", async () => {
    const { harness, issue, id, number } = await waiting();
    for (const exits of [1, 2]) {
      harness.github.takeOutOfQueue(DEMO, number, null, "CI_TIMEOUT");
      await becomes(harness, id, "in the queue again", (job) => job.merge_queue.exits === exits && inQueue(job));
      await until("the reason", () => /thrown out before: its checks took too long/.test(harness.comment(issue)));
    }
    harness.github.takeOutOfQueue(DEMO, number, null, "CI_TIMEOUT");
    await becomes(harness, id, "left alone", isOff);
    await until("the reason", () => /thrown it out 3 times, last because/.test(harness.comment(issue)));
  });

  it("is known from GitHub's timeline where the webhook is lost", async () => {
    const { harness, id, number } = await waiting();
    harness.github.webhooks.drop(({ event, action }) => event === "pull_request" && action === "dequeued");
    harness.github.takeOutOfQueue(DEMO, number, null, "CI_TIMEOUT");
    await harness.sandbox.idle();
    harness.github.pushCommit(DEMO, "main", { "OTHER.md": "other\n" }, "ada");
    const job = await becomes(harness, id, "in the queue again", (one) => one.merge_queue.exits === 1 && inQueue(one));
    expect(job.merge_queue.why).toBe("its checks took too long there");
  });

  it("by a conflict is a conflict with the base like any other", async () => {
    const { harness, id, number } = await waiting();
    harness.github.pushCommit(DEMO, "main", { "HELLO.md": "somebody else's\n" }, "ada");
    await until("GitHub to throw it out", () => !harness.github.mergeQueue(DEMO, "main").includes(number));
    const job = await becomes(harness, id, "in a round that resolves it", ({ round }) => round === 2);
    expect(job.catch_up.resolving).toBe(true);
    expect(job.merge.state).toBe("waiting");
  });

  it("by the App itself, for another round, comes back with it", async () => {
    const { harness, issue, id, number } = await waiting();
    harness.github.comment(DEMO, number, { body: "/job append more to HELLO.md", by: "ada" });
    await becomes(harness, id, "in the queue again", (job) => job.round === 2 && inQueue(job));
    expect(calls(harness, "Dequeue")).toBe(1);
    await harness.sandbox.idle();
    report(harness, number, "success");
    await becomes(harness, id, "merged", merged);
    expect(harness.comment(issue)).not.toContain("thrown out");
  });
});
