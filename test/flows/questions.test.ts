/** Questions of the agent, and their answers by comments and the API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { openHarness, type SharedHarness, until, untilJob } from "./harness.ts";

let harness: SharedHarness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness.close());

const say = (number: number, body: string) => harness.github.comment(DEMO, number, { body, by: "ada" });
const reach = (id: Job["id"], status: Job["status"], round = 1) =>
  untilJob(harness, id, `${status} in round ${round}`, (one) => one.status === status && one.round === round);
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
const checkOf = ({ head_sha }: Job) =>
  harness.github.checkRuns(DEMO, head_sha ?? "").find(({ name }) => name === "journeyman");

describe("a question of the agent", () => {
  it("waits for a person, whose answer on the issue goes on with the same job to its merge", async () => {
    const issue = harness.ask("/job ask which colour it should be");
    const { id } = await harness.jobOf(issue);
    const asked = await reach(id, "waiting_for_user");
    await until("the question to be shown", () => said(issue).includes("**Waiting for an answer**"));
    expect(said(issue)).toMatch(
      /\*\*Waiting for an answer\*\*.*\/issues\/\d+#issue-comment-box\) with `\/job <answer>`/s,
    );
    const mention = await until("ada to be told", () =>
      harness.github.comments(DEMO, issue).find(({ body }) => body.startsWith("@ada, the agent asks something")),
    );
    expect(mention).toMatchObject({ body: expect.stringContaining("> which colour it should be") });
    await until("the comment to lead there", () => harness.comment(issue).includes(`#issuecomment-${mention.id}`));
    await until("its check", () => checkOf(asked)?.conclusion === "action_required");
    expect(checkOf(asked)?.detailsUrl).toMatch(/\/issues\/\d+#issue-comment-box$/);

    say(issue, "/job create COLOUR.md that says blue");
    const job = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    expect([job.round, await jobsOf(issue)]).toEqual([2, 1]);
    expect(harness.github.readFile(DEMO, "main", "COLOUR.md")).toContain("blue");
    const prompts = harness.sandbox.model.requests().map(({ body }) => JSON.stringify(body));
    const second = prompts.find((prompt) => prompt.includes("COLOUR.md"));
    expect(second).toContain("You asked back:\\nwhich colour it should be");
    expect(second).toContain("a person's answer");
    await until("the comment to say it", () => said(issue).includes("**Merged**"));
    expect(harness.comment(issue)).not.toContain("#issuecomment-");
    expect(harness.github.comments(DEMO, issue)).toHaveLength(4);
  });

  it("on a later round keeps the pull request open and unmerged, without the job's folder, until it is answered there", async () => {
    harness.github.protect(DEMO, "main", { requiredReviews: 1 });
    const { id } = await harness.jobOf(harness.ask("/job create ROUND.md that says one"));
    const first = await untilJob(harness, id, "in review", (one) => one.status === "verified");
    const number = first.pull_request?.number ?? 0;
    harness.github.protect(DEMO, "main", { requiredReviews: 0 });
    say(number, "/job ask whether two is meant");
    const asked = await reach(id, "waiting_for_user", 2);
    expect(
      Object.keys(harness.github.tree(DEMO, asked.head_sha ?? "")).filter((path) => path.startsWith(".jobs/")),
    ).toEqual([]);
    const judged = await untilJob(harness, id, "judged", (one) => one.reasons[0]?.verdict === "pass");
    expect([judged.status, judged.merged_at]).toEqual(["waiting_for_user", null]);
    expect(harness.github.pulls(DEMO).find((pull) => pull.number === number)).toMatchObject({ state: "open" });
    await until("its check", () => checkOf(judged)?.conclusion === "action_required");

    say(number, "/job append two to ROUND.md");
    const job = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    expect([job.round, job.pull_request?.number]).toEqual([3, number]);
    expect(harness.github.readFile(DEMO, "main", "ROUND.md")).toContain("two");
  });

  it("is over for whoever polls, and is answered by a message of the API", async () => {
    const created = await harness.request("/api/create-job", { method: "POST", body: { job: "ask which colour" } });
    const { job_id } = (await created.json()) as { job_id: Job["id"] };
    await reach(job_id, "waiting_for_user");
    const [owner, name] = DEMO.split("/");
    const v2 = `/v2/agent/${encodeURIComponent(`${owner}/${name}`)}/job/${job_id}`;
    const seen = async (path: string) => (await (await harness.request(path)).json()) as Record<string, unknown>;
    for (const path of [`/api/jobs/status?job_id=${job_id}`, v2])
      expect(await seen(path)).toMatchObject({ status: "completed", outcome: "question", question: "which colour" });
    expect(await seen(`/api/jobs/${job_id}`)).toMatchObject({ status: "waiting_for_user", outcome: "question" });
    const listed = await seen("/api/jobs?status=waiting_for_user");
    expect(listed).toEqual([expect.objectContaining({ id: job_id })]);

    const answer = { prompt: "create API.md that says blue" };
    expect((await harness.request(`${v2}/message`, { method: "POST", body: answer })).status).toBe(200);
    await untilJob(harness, job_id, "merged", (one) => one.merged_at !== null);
    expect(await seen(v2)).toMatchObject({ status: "completed", outcome: "merged", question: null });
  });

  it("ends with the Discard button of its check", async () => {
    const issue = harness.ask("/job ask which colour it should be");
    const { id } = await harness.jobOf(issue);
    const asked = await reach(id, "waiting_for_user");
    const check = await until("its check", () => checkOf(asked));
    harness.github.clickCheckAction(DEMO, check.id, "discard", "ada");
    await reach(id, "cancelled");
    await until("the branch to be gone", () => harness.github.branches(DEMO)[asked.branch] === undefined);
  });
});
