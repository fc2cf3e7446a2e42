import examples from "@octokit/webhooks-examples";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { json, pushBranch, REPO, type World, world } from "./kit.ts";

/** What the examples carry and github.com no longer sends, or what only some payloads have. */
const NOT_PLAYED =
  /^(?:organization|enterprise|app\.(?:permissions|events)|issue\.draft|.*\.(?:assignee|milestone)\..*|.*\.(?:stargazers|master_branch|temp_clone_token|mirror_url|archive_url|.*_url))$/;
/** Described by the `X-GitHub-Hook-…` headers or by `repository` already. */
const SPARSE = ["repository", "sender", "installation", "organization"];

const catalogue = z.array(z.object({ name: z.string(), examples: z.array(json) })).parse(examples);

/** `pull_request.head.sha` and so on, down to three levels; lists are not looked into. */
function paths(value: unknown, prefix = "", depth = 0): string[] {
  const object = json.safeParse(value);
  if (!object.success || depth > 2) return [];
  return Object.entries(object.data).flatMap(([key, inner]) => [
    `${prefix}${key}`,
    ...paths(inner, `${prefix}${key}.`, depth + 1),
  ]);
}

describe("webhook payloads", () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
    const issue = w.github.openIssue(REPO, { title: "i", body: "b", by: "octo", labels: ["job"] });
    const comment = w.github.comment(REPO, issue, { body: "c", by: "writer" });
    w.github.editComment(REPO, comment, { body: "d", by: "writer" });
    const sha = await pushBranch(w.call, w.github, "job/x", { "x.txt": "x" });
    const { body } = await w.call(`POST /repos/${REPO}/pulls`, { title: "p", head: "job/x", base: "main", body: "b" });
    const number = z.number().parse(json.parse(body).number);
    await w.call(`POST /repos/${REPO}/check-runs`, { name: "journeyman", head_sha: sha, conclusion: "success" });
    w.github.setStatus(REPO, sha, "ci", "success");
    const run = w.github.actions.createRun({
      repository: { owner: "octo", name: "demo" },
      path: ".github/workflows/ci.yml",
      name: "CI",
      event: "push",
      displayTitle: "t",
      headBranch: "job/x",
      headSha: sha,
      actor: "octo",
    });
    const job = w.github.actions.createJob(run.id, "build");
    w.github.actions.startRun(run.id);
    w.github.actions.updateJob(job, { status: "in_progress" });
    w.github.actions.updateJob(job, { status: "completed", conclusion: "success" });
    w.github.actions.completeRun(run.id, "success");
    w.github.review(REPO, number, { state: "APPROVED", by: "writer" });
    await w.github.commentOnLine(REPO, number, { path: "x.txt", line: 1, body: "why?", by: "writer" });
    await w.github.mergeByHand(REPO, number, "octo");
    w.github.deleteBranch(REPO, "job/x", "octo");
    w.github.createRepository({ owner: "octo", name: "more" });
    w.github.install("octo/more");
    await w.github.idle();
  });
  afterAll(() => w.close());

  it.each([
    ["issues", "opened"],
    ["issue_comment", "created"],
    ["issue_comment", "edited"],
    ["push", undefined],
    ["delete", undefined],
    ["pull_request", "opened"],
    ["pull_request", "closed"],
    ["pull_request_review", "submitted"],
    ["pull_request_review_comment", "created"],
    ["check_run", "created"],
    ["check_run", "completed"],
    ["check_suite", "requested"],
    ["check_suite", "completed"],
    ["status", undefined],
    ["workflow_run", "requested"],
    ["workflow_run", "completed"],
    ["workflow_job", "queued"],
    ["workflow_job", "completed"],
    ["installation_repositories", "added"],
  ])("of %s %s have the fields of GitHub's own examples", (event, action) => {
    const ours = w.app.received.find((one) => one.event === event && one.action === action)?.payload;
    const theirs = catalogue.find((one) => one.name === event)?.examples.filter((one) => one.action === action) ?? [];
    expect(theirs.length).toBeGreaterThan(0);
    const own = new Set(paths(ours));
    // A field counts as wanted when every example of the event has it.
    const wanted = theirs.map((one) => paths(one)).reduce((common, one) => common.filter((path) => one.includes(path)));
    const missing = wanted.filter(
      (path) => !own.has(path) && !SPARSE.includes(path.split(".")[0] ?? "") && !NOT_PLAYED.test(path),
    );
    expect(missing).toEqual([]);
  });
});
