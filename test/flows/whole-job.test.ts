import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

it("turns a comment into a merged pull request, says so once, and spends few calls on it", async () => {
  const harness = await startHarness({ realRuns: true });
  harness.github.resetCalls();
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  const job = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  await until("the comment to say that it is merged", () => harness.comment(issue).includes("merged"));

  const calls = harness.github.calls().filter((call) => call.actor === "installation");
  const list = calls
    .filter((call) => !call.route.endsWith("/access_tokens"))
    .map((call) => `${call.kind} ${call.method} ${call.route} ${call.graphql ?? ""}`);
  // of one kind may be two where this machine takes its time; a check run that is written again is such a second one
  const kinds = [...new Set(list)].filter((one) => !one.includes("PATCH /repos/:owner/:repo/check-runs"));
  expect(kinds.filter((one) => one.startsWith("write")).length, list.join("\n")).toBeLessThanOrEqual(6);
  expect(kinds.filter((one) => one.startsWith("read")).length, list.join("\n")).toBeLessThanOrEqual(3);
  const runs = harness.github
    .runs(DEMO)
    .filter((run) => run.path.endsWith("run-job.yml") && run.conclusion !== "skipped");
  expect(runs, "the branch is pushed once before the agent does").toHaveLength(1);

  await harness.sandbox.idle();
  expect(job.status).toBe("verified");
  expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
  expect(harness.github.readFile(DEMO, "main", `.jobs/${id}/job.md`)).toBeUndefined();
  expect(Object.keys(harness.github.branches(DEMO))).toEqual(["main"]);
  const ci = harness.github.runs(DEMO).filter((run) => run.name === "CI" && run.headBranch === "main");
  const ofMerge = ci.filter(({ headSha }) => headSha === harness.github.branches(DEMO).main);
  expect(ofMerge, "neither the merge nor the end of its branch is told twice").toHaveLength(1);

  const comments = harness.github.comments(DEMO, issue);
  expect(comments).toHaveLength(2);
  expect(comments[0]?.reactions, "the comment is sign enough").toEqual([]);
  const [pull] = harness.github.pulls(DEMO);
  expect(pull).toMatchObject({ merged: true, number: job.pull_request?.number });
  expect(pull?.body).toContain(`Closes #${issue}`);
  expect(harness.github.issue(DEMO, issue).state).toBe("closed");

  const ours = harness.github.checkRuns(DEMO, pull?.headSha ?? "").filter((run) => run.name === "journeyman");
  expect(ours).toHaveLength(1);
  expect(ours[0]).toMatchObject({ status: "completed", conclusion: "success" });
  expect(harness.github.checkRuns(DEMO, job.brief_sha ?? "").every((run) => run.status === "completed")).toBe(true);
});

it("goes on with a message on its pull request, on the same branch and pull request", async () => {
  const harness = await startHarness({ settings: null });
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  const first = await untilJob(harness, id, "verified", (one) => one.status === "verified");
  expect(first.merge).toMatchObject({ state: "off" });
  expect(first.merged_at).toBeNull();
  await until("the comment to say how to turn merging on", () => harness.comment(issue).includes("journeyman.yml"));

  const number = first.pull_request?.number ?? 0;
  harness.github.comment(DEMO, number, { body: "/job append bye to HELLO.md", by: "ada" });
  const second = await untilJob(harness, id, "verified again", (one) => one.round === 2 && one.status === "verified");
  expect(second.pull_request?.number).toBe(number);
  expect(harness.github.pulls(DEMO)).toHaveLength(1);
  expect(harness.github.readFile(DEMO, second.branch, "HELLO.md")).toContain("bye");
});

it("takes the label `job` on an issue for the same as a comment", async () => {
  const harness = await startHarness();
  const issue = harness.github.openIssue(DEMO, { title: "create LABEL.md that says labelled", by: "ada" });
  harness.github.addLabel(DEMO, issue, "job", "ada");
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  expect(harness.github.readFile(DEMO, "main", "LABEL.md")).toContain("labelled");
});

it.each([
  ["ask which colour?", "question", "which colour?", "waiting_for_user"],
  ["refuse", "refused", "", "verified"],
  ["do nothing", "nothing_to_do", "", "verified"],
])("carries what the agent says when there is nothing to merge: %s", async (task, outcome, words, status) => {
  const harness = await startHarness();
  const issue = harness.ask(`/job ${task}`);
  const { id } = await harness.jobOf(issue);
  const job = await untilJob(harness, id, "over", (one) => one.status === status);
  expect(job.result?.outcome).toBe(outcome);
  expect(harness.github.pulls(DEMO)).toHaveLength(0);
  const said = await until("the comment to carry it", () =>
    harness.comment(issue).includes(words) ? harness.comment(issue) : null,
  );
  expect(said).not.toContain("undefined");
});

it("serves create-job over REST from the branch to the merge", async () => {
  const harness = await startHarness();
  const created = await harness.request("/api/create-job", {
    method: "POST",
    body: { job: "create REST.md that says rest" },
  });
  expect(created.status).toBe(200);
  const { job_id, branch } = (await created.json()) as { job_id: string; branch: string };
  expect(branch).toBe(`job/${job_id}`);
  expect(Object.keys(harness.github.branches(DEMO))).toContain(branch);
  const status = await until("the status to be merged", async () => {
    const answer = await harness.request(`/api/jobs/status?job_id=${job_id}`);
    const body = (await answer.json()) as Record<string, unknown>;
    return body.status === "merged" ? body : null;
  });
  expect(status).toMatchObject({ branch, changed_files: ["REST.md"] });
  expect(status.pr_url).toContain("/pull/");
  expect(status.run_url).toContain("/actions/runs/");
  expect(String(status.log)).not.toBe("");
});
