/** `/job` in a review and in a comment on a line: read as in a comment. */
import { describe, expect, it } from "vitest";
import { DEMO, READER } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

/** A job whose pull request waits for a review. */
async function inReview() {
  const harness = await startHarness();
  harness.github.protect(DEMO, "main", { requiredReviews: 1 });
  const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
  await untilJob(harness, id, "done", (one) => one.status === "verified" && one.pull_request !== null);
  return { harness, id, number: (await harness.job(id)).pull_request?.number ?? 0 };
}

const onLine = (harness: Harness, number: number, body: string, by: string) =>
  harness.github.commentOnLine(DEMO, number, { path: "HELLO.md", line: 1, body, by });

const lastOf = (harness: Harness, number: number) => harness.github.reviews(DEMO, number).at(-1);

describe("a command in a review", () => {
  it("on a line is a message to the job, which is told of the line", async () => {
    const { harness, id, number } = await inReview();
    await onLine(harness, number, "/job create MORE.md that says more", "ada");
    await untilJob(harness, id, "the next round", (one) => one.round === 2);
    await until("eyes", () => lastOf(harness, number)?.comments[0]?.reactions.includes("eyes"));
    expect((await harness.job(id)).rounds.at(-1)?.asked).toContain("Said of line 1 of HELLO.md");
  });

  it("in its words is one, too, while what it decides is looked at", async () => {
    const { harness, id, number } = await inReview();
    harness.github.review(DEMO, number, { state: "APPROVED", body: "Fine.\n\n/job status", by: "ada" });
    await until("eyes", () => lastOf(harness, number)?.reactions.includes("eyes"));
    await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  });

  it("of somebody who may not command is shown it once and followed never, wherever it stands", async () => {
    const { harness, id, number } = await inReview();
    await onLine(harness, number, "/job cancel", READER);
    await until("a reaction", () => lastOf(harness, number)?.comments[0]?.reactions.includes("confused"));
    harness.github.review(DEMO, number, { state: "COMMENTED", body: "/job cancel", by: READER });
    harness.github.comment(DEMO, number, { body: "/job cancel", by: READER });
    await harness.sandbox.idle();
    await until("the inbox to be empty", async () => (await harness.app.store.inbox.pending()).length === 0);
    expect(lastOf(harness, number)?.reactions).toEqual([]);
    expect(harness.github.comments(DEMO, number).at(-1)?.reactions).toEqual([]);
    expect((await harness.job(id)).status).toBe("verified");
  });

  it("on a pull request that is no job's begins one on its branch, once however often it is delivered", async () => {
    const harness = await startHarness();
    harness.github.webhooks.duplicate(({ event }) => event === "pull_request_review_comment");
    harness.github.pushCommit(DEMO, "mine", { "HELLO.md": "hello\n" }, "ada");
    const number = harness.github.openPullRequest(DEMO, { title: "Mine", head: "mine", by: "ada" });
    await onLine(harness, number, "/job create MORE.md that says more", "ada");
    const { id } = await harness.jobOf(number);
    await harness.sandbox.idle();
    const job = await harness.job(id);
    expect([job.base.branch, job.origin]).toMatchObject(["mine", { kind: "comment", issue: number }]);
    expect(await harness.app.store.jobs.count()).toBe(1);
  });
});
