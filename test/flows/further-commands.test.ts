/** Further `/job`s on an issue whose job is open. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { openHarness, type SharedHarness, until, untilJob } from "./harness.ts";

let harness: SharedHarness;
beforeAll(async () => {
  harness = await openHarness();
  harness.github.protect(DEMO, "main", { requiredReviews: 1 });
});
// so that no test waits for the writes of another
afterEach(() => harness.pass(62_000));
afterAll(() => harness.close());

const say = (number: number, body: string) => harness.github.comment(DEMO, number, { body, by: "ada" });
/** All that the App has said on an issue or pull request. */
const said = (number: number): string =>
  harness.github
    .comments(DEMO, number)
    .filter(({ user }) => user.endsWith("[bot]"))
    .map(({ body }) => body)
    .join("\n");
const jobsOf = async (issue: number): Promise<number> => {
  const { jobs } = await harness.app.store.jobs.list({ limit: 100 });
  return jobs.filter(({ origin }) => "issue" in origin && origin.issue === issue).length;
};

describe("a further /job on an issue whose job is open", () => {
  it("is a message to it, said so at once, and taken up by its next round", async () => {
    const issue = harness.ask("/job create TWIN.md that says one");
    const { id } = await harness.jobOf(issue);
    say(issue, "/job append two to TWIN.md");
    await until("to be told", () => said(issue).includes("`/job --again <text>` starts another job."));
    const job = await untilJob(harness, id, "in review again", (one) => one.round === 2 && one.status === "verified");
    expect(await jobsOf(issue)).toBe(1);
    expect(harness.github.readFile(DEMO, job.branch, "TWIN.md")).toContain("two");
    expect(harness.github.pulls(DEMO).filter(({ head }) => head === job.branch)).toHaveLength(1);

    say(issue, "/job append three to TWIN.md");
    const third = await untilJob(harness, id, "in review", (one) => one.round === 3 && one.status === "verified");
    expect(third.pull_request?.number).toBe(job.pull_request?.number);

    say(issue, "/job --no-merge append four to TWIN.md");
    await until("to be told", () => said(issue).includes("`--no-merge` is for a new job"));
    expect((await harness.job(id)).round).toBe(3);

    say(issue, "/job --again create OTHER.md that says other");
    await until("another job", async () => (await jobsOf(issue)) === 2);
    const other = await harness.jobOf(issue);
    expect(other.id).not.toBe(id);
    await untilJob(harness, other.id, "in review", (one) => one.status === "verified");
    expect((await harness.job(id)).round).toBe(3);
  });

  it("starts a new one, once its pull request is closed", async () => {
    const issue = harness.ask("/job create CLOSED.md that says one");
    const { id } = await harness.jobOf(issue);
    const job = await untilJob(harness, id, "in review", (one) => one.status === "verified");
    harness.github.closePullRequest(DEMO, job.pull_request?.number ?? 0, "ada");
    say(issue, "/job create CLOSED.md that says two");
    await until("another job", async () => (await jobsOf(issue)) === 2);
  });

  it("is cancelled where it is the only one under way, and asked for by name where there are several", async () => {
    const issue = harness.ask("/job ask which colour");
    const first = await harness.jobOf(issue);
    await untilJob(harness, first.id, "asking", (one) => one.status === "waiting_for_user");
    const another = async (body: string) => {
      const before = await jobsOf(issue);
      say(issue, body);
      await until("another job", async () => (await jobsOf(issue)) === before + 1);
      return harness.jobOf(issue);
    };
    const second = await another("/job --again create NAMED.md that says one");
    await untilJob(harness, second.id, "in review", (one) => one.status === "verified");
    const third = await another("/job --again ask which size");
    await untilJob(harness, third.id, "asking", (one) => one.status === "waiting_for_user");

    say(issue, "/job cancel");
    await until("to be asked", () =>
      said(issue).includes(`\`/job cancel ${first.id}\` or \`/job cancel ${third.id}\``),
    );
    expect((await harness.job(third.id)).status).toBe("waiting_for_user");
    say(issue, `/job cancel ${third.id}`);
    await untilJob(harness, third.id, "cancelled", (one) => one.status === "cancelled");
    say(issue, "/job cancel");
    await untilJob(harness, first.id, "cancelled", (one) => one.status === "cancelled");
    expect((await harness.job(second.id)).status).toBe("verified");
  });
});
