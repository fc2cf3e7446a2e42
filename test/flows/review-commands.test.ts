/** `/job` in a review and in a comment on a line: heard as a comment's is. */
import { describe, expect, it } from "vitest";
import { DEMO, READER } from "../sandbox/environment.ts";
import { type House, startHouse, until, untilJob } from "./harness.ts";

/** A job whose pull request waits for a review. */
async function inReview() {
  const house = await startHouse();
  house.github.protect(DEMO, "main", { requiredReviews: 1 });
  const { id } = await house.jobOf(house.ask("/job create HELLO.md that says hello"));
  await untilJob(house, id, "done", (one) => one.status === "verified" && one.pull_request !== null);
  return { house, id, number: (await house.job(id)).pull_request?.number ?? 0 };
}

const onLine = (house: House, number: number, body: string, by: string) =>
  house.github.commentOnLine(DEMO, number, { path: "HELLO.md", line: 1, body, by });

const lastOf = (house: House, number: number) => house.github.reviews(DEMO, number).at(-1);

describe("a command in a review", () => {
  it("on a line is a message to the job, which is told of the line", async () => {
    const { house, id, number } = await inReview();
    await onLine(house, number, "/job create MORE.md that says more", "ada");
    await untilJob(house, id, "the next round", (one) => one.round === 2);
    await until("eyes", () => lastOf(house, number)?.comments[0]?.reactions.includes("eyes"));
    expect((await house.job(id)).rounds.at(-1)?.asked).toContain("Said of line 1 of HELLO.md");
  });

  it("in its words is one, too, while what it decides is looked at", async () => {
    const { house, id, number } = await inReview();
    house.github.review(DEMO, number, { state: "APPROVED", body: "Fine.\n\n/job status", by: "ada" });
    await until("eyes", () => lastOf(house, number)?.reactions.includes("eyes"));
    await untilJob(house, id, "merged", (one) => one.merged_at !== null);
  });

  it("of somebody who may not command is shown it once and followed never, wherever it stands", async () => {
    const { house, id, number } = await inReview();
    await onLine(house, number, "/job cancel", READER);
    await until("a reaction", () => lastOf(house, number)?.comments[0]?.reactions.includes("confused"));
    house.github.review(DEMO, number, { state: "COMMENTED", body: "/job cancel", by: READER });
    house.github.comment(DEMO, number, { body: "/job cancel", by: READER });
    await house.town.idle();
    await until("the inbox to be empty", async () => (await house.app.store.inbox.pending()).length === 0);
    expect(lastOf(house, number)?.reactions).toEqual([]);
    expect(house.github.comments(DEMO, number).at(-1)?.reactions).toEqual([]);
    expect((await house.job(id)).status).toBe("verified");
  });

  it("on a pull request that is no job's begins one on its branch, once however often it is delivered", async () => {
    const house = await startHouse();
    house.github.webhooks.duplicate(({ event }) => event === "pull_request_review_comment");
    house.github.pushCommit(DEMO, "mine", { "HELLO.md": "hello\n" }, "ada");
    const number = house.github.openPullRequest(DEMO, { title: "Mine", head: "mine", by: "ada" });
    await onLine(house, number, "/job create MORE.md that says more", "ada");
    const { id } = await house.jobOf(number);
    await house.town.idle();
    const job = await house.job(id);
    expect([job.base.branch, job.origin]).toMatchObject(["mine", { kind: "comment", issue: number }]);
    expect(await house.app.store.jobs.count()).toBe(1);
  });
});
