/** What jobs have cost and came to: in a comment, over REST, in the metrics. */
import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until } from "./harness.ts";

it("tells of a job that was merged what it cost, in a comment, over REST and in the metrics, over a restart", async () => {
  const harness = await startHarness();
  const issue = harness.ask("/job create HELLO.md that says hello");
  await until("the merge", async () => (await harness.jobOf(issue)).merged_at !== null);
  const report = async () => (await harness.request("/api/usage?by=requester")).json();
  const told = await report();
  const figures = { jobs: 1, open: 0, merged_pull_requests: 1, share_merged: 1, attempts: 1, share_second_attempts: 0 };
  expect(told).toMatchObject({ rows: [{ name: "ada", ...figures, estimated_cents: 0 }], total: figures });
  const { cents, input_tokens } = (
    told as { readonly total: { readonly cents: number; readonly input_tokens: number } }
  ).total;
  expect(cents).toBeGreaterThan(0);
  expect(input_tokens).toBeGreaterThan(0);
  await harness.restart();
  expect(await report()).toEqual(told);

  const asked = harness.ask("/job usage");
  await until("the answer", () => harness.comment(asked).includes("merged pull requests"));
  expect(harness.comment(asked)).toMatch(new RegExp(`^What jobs of ${DEMO} have cost`));
  expect(harness.comment(asked)).toMatch(/\| merged pull requests \| 1 \(100 %\) \| 0 \|/);

  const metrics = await (await harness.request("/metrics")).text();
  expect(metrics).toMatch(/^journeyman_usage_jobs\{period="month"\} 1$/m);
  expect(metrics).toMatch(/^journeyman_usage_merged_jobs\{period="day"\} 1$/m);
  expect(metrics).toMatch(new RegExp(`^journeyman_usage_cents\\{period="month",told="yes"\\} ${cents}$`, "m"));
});

const DAY = 24 * 3_600_000;

it("tells a month in one issue where the settings want it, once whatever is restarted", async () => {
  const harness = await startHarness();
  const { github, sandbox } = harness;
  const date = new Date();
  // the middle of a month, wherever this one is
  harness.pass(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 15, 12) - date.getTime());
  const settings = "auto_merge: {enabled: true, require_checks: false}\nreports: {monthly: true}\n";
  github.pushCommit(DEMO, "main", { ".github/journeyman.yml": settings }, "ada");
  await until("the settings to be read", async () => {
    const state = await harness.app.store.repositories.get("octo", "demo");
    return state?.reports_since != null;
  });
  const issue = harness.ask("/job create HELLO.md that says hello");
  await until("the merge", async () => (await harness.jobOf(issue)).merged_at !== null);
  const posted = () =>
    github.calls().filter(({ method, path }) => method === "POST" && path === `/repos/${DEMO}/issues`);
  harness.pass(10 * DAY);
  await sandbox.idle();
  expect(posted()).toHaveLength(0);
  harness.pass(10 * DAY);
  await until("the issue", () => posted().length === 1);
  const month = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });
  const name = month.format(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 15));
  await until("nothing to be left", async () => (await harness.app.store.repositories.withEffects()).length === 0);
  await harness.restart();
  await sandbox.idle();
  expect(posted()).toHaveLength(1);
  // after the issue of the job and its pull request
  expect(github.issue(DEMO, issue + 2)).toMatchObject({ title: `Journeyman in ${name}`, state: "open" });
  expect(github.issue(DEMO, issue + 2).body).toContain("| merged pull requests | 1 (100 %) | 0 |");
}, 120_000);

it("says so where nothing was asked for", async () => {
  const harness = await startHarness({ actions: false });
  const issue = harness.ask("/job usage");
  await until("the answer", () => harness.comment(issue).includes("No job was asked for"));
});
