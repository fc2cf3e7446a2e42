/** A pull request that waits for a person longer than `limits.expires_days`. */
import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

const DAY = 24 * 3_600_000;

it("is warned of, spared while somebody looks after it, closed, and goes on from its branch", async () => {
  const harness = await startHarness({ settings: "limits:\n  expires_days: 14\n" });
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "left to a person", (one) => one.status === "verified" && one.expiry !== null);
  const number = harness.github.pulls(DEMO)[0]?.number ?? 0;

  harness.pass(11 * DAY + 60_000);
  await until("a warning", () => harness.comment(issue).includes("is closed on"));
  harness.github.comment(DEMO, number, { body: "I am on holiday, please wait.", by: "ada" });
  await untilJob(harness, id, "spared", (one) => one.expiry?.warned_at === null);
  await until("the warning to be gone", () => !harness.comment(issue).includes("is closed on"));

  harness.pass(11 * DAY + 60_000);
  await until("a second warning", () => harness.comment(issue).includes("is closed on"));
  harness.github.resetCalls();
  harness.pass(3 * DAY);
  await untilJob(harness, id, "closed", (one) => !one.pull_request_open);
  const [pull] = harness.github.pulls(DEMO);
  expect(pull).toMatchObject({ number, state: "closed", merged: false });
  await until("the comment to say so", () => harness.comment(issue).includes("nobody touched it for 14 days"));
  expect(harness.github.comments(DEMO, number).at(-1)?.body).toContain("Its branch is kept.");
  const { branch } = await harness.job(id);
  expect(harness.github.readFile(DEMO, branch, "HELLO.md")).toBe("hello\n");
  const calls = harness.github.calls().map(({ method, route }) => `${method} ${route}`);
  expect(calls.filter((one) => / .*\/(?:issues|pulls)\//.test(one)).sort()).toEqual([
    "GET /repos/:owner/:repo/pulls/:number",
    "PATCH /repos/:owner/:repo/issues/comments/:comment_id",
    "PATCH /repos/:owner/:repo/pulls/:number",
    "POST /repos/:owner/:repo/issues/:number/comments",
  ]);

  harness.github.comment(DEMO, number, { body: "/job append bye to HELLO.md", by: "ada" });
  const again = await untilJob(harness, id, "in another pull request", (one) => one.pull_request?.number !== number);
  await untilJob(harness, id, "left to a person again", (one) => one.status === "verified" && one.round === 2);
  expect(again.former_pull_requests).toContain(number);
  expect(harness.github.readFile(DEMO, branch, "HELLO.md")).toBe("hello\nbye\n");
});

it("is closed where an agent's question is never answered, by settings that came later", async () => {
  const harness = await startHarness({ settings: "limits:\n  turns: 20\n" });
  const issue = harness.ask("/job ask which colour it should be");
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "asking", (one) => one.status === "waiting_for_user");
  const settings = { ".github/journeyman.yml": "limits:\n  expires_days: 14\n" };
  harness.github.pushCommit(DEMO, "main", settings, "ada");
  await untilJob(harness, id, "told", (one) => one.expiry !== null);
  harness.pass(11 * DAY + 60_000);
  await until("a warning", () => harness.comment(issue).includes("is closed on"));
  harness.pass(3 * DAY);
  await untilJob(harness, id, "over", (one) => one.status === "cancelled");
});

it("is told once and closed where GitHub fails in between", async () => {
  const harness = await startHarness({ settings: "limits:\n  expires_days: 14\n" });
  const { github } = harness;
  const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
  await untilJob(harness, id, "left to a person", (one) => one.status === "verified" && one.expiry !== null);
  const number = github.pulls(DEMO)[0]?.number ?? 0;
  harness.pass(11 * DAY + 60_000);
  await untilJob(harness, id, "warned", (one) => (one.expiry?.warned_at ?? null) !== null);
  github.faults.add({ match: { method: "PATCH", path: /\/pulls\/\d+$/ }, status: 502, times: 2 });
  harness.pass(3 * DAY);
  await untilJob(harness, id, "closed", (one) => !one.pull_request_open);
  expect(github.pulls(DEMO)).toMatchObject([{ number, state: "closed" }]);
  expect(github.comments(DEMO, number).filter(({ body }) => body.includes("Its branch is kept."))).toHaveLength(1);
});
