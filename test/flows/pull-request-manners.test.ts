/** Labels, assignee and reviewers of a job's pull request, as the repository's settings name them. */
import { expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { ADMIN, DEMO, READER } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const merged = (job: Job): boolean => job.merged_at !== null;
const settings = (lines: string): string => `auto_merge:\n  enabled: true\npull_request:\n${lines}`;

const writes = ({ github }: Harness): string[] =>
  github
    .calls()
    .filter(({ method, path }) => method === "POST" && /\/(?:labels|assignees|requested_reviewers)$/.test(path))
    .map(({ path }) => path.split("/").at(-1) ?? "");

/** A job whose pull request waits for a review, so that it can be looked at. */
async function opened(lines: string) {
  const harness = await startHarness({ settings: settings(lines) });
  harness.github.protect(DEMO, "main", { requiredReviews: 1 });
  harness.github.addTeam(DEMO, "core");
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  const job = await untilJob(harness, id, "done", (one) => one.status === "verified" && one.pull_request !== null);
  return { harness, issue, id, number: job.pull_request?.number ?? 0 };
}

it("is given what the settings name, by one write for each kind", async () => {
  const { harness, number, id } = await opened(
    `  reviewers: [${ADMIN}, octo/core]\n  labels: [bot, "needs review"]\n  assign_requester: true\n`,
  );
  await until("the labels", () => harness.github.triage(DEMO, number).reviewers.length > 0);
  expect(harness.github.triage(DEMO, number)).toEqual({
    ...{ assignees: ["ada"], reviewers: [ADMIN], labels: ["bot", "needs review"] },
  });
  expect(writes(harness).sort()).toEqual(["assignees", "labels", "requested_reviewers"]);
  harness.github.comment(DEMO, number, { body: "/job create MORE.md that says more", by: "ada" });
  await untilJob(harness, id, "done again", (job) => job.round === 2 && job.status === "verified");
  expect(writes(harness)).toHaveLength(3);
});

it("goes on without those who cannot be asked, who are named once", async () => {
  const { harness, number, issue } = await opened(`  reviewers: [${ADMIN}, ${READER}, nobody, octo/core, octo/gone]\n`);
  await until("the reviewer", () => harness.github.triage(DEMO, number).reviewers.includes(ADMIN));
  await until("the names", () =>
    /let these be asked for a review here: .*nobody, octo\/core, octo\/gone/.test(harness.comment(issue)),
  );
  expect(writes(harness)).toEqual(["requested_reviewers", "requested_reviewers", "requested_reviewers"]);
  harness.github.review(DEMO, number, { state: "APPROVED", by: ADMIN });
  await until("the merge", () => harness.github.pulls(DEMO)[0]?.merged);
  await until("the note to go", () => !/asked for a review here/.test(harness.comment(issue)));
});

it("costs nothing where the settings want none of it", async () => {
  const harness = await startHarness();
  const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
  await untilJob(harness, id, "merged", merged);
  expect(writes(harness)).toEqual([]);
});
