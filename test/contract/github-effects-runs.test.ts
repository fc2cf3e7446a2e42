/** A run's submitted result on the local GitHub: found on the branch or not, and the token for its push. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchOf } from "../../src/domain/job/job.ts";
import { createPushTokens } from "../../src/github/client/push-tokens.ts";
import { ID, run, work } from "../unit/job-fixtures.ts";
import { type Bench, bench, command, Journey, REPO, sourceOf } from "./github-effects-harness.ts";

const BRANCH = branchOf(ID);
const BRIEF = { type: "push-brief", round: 1, attempt: 1 } as const;
const READ = { type: "read-result", round: 1, attempt: 1 } as const;
const OPEN = { type: "open-pull-request", round: 1 } as const;
const FOLDER = [`.jobs/${ID}/job.md`, `.jobs/${ID}/job.config.json`];
const GONE = Object.fromEntries(FOLDER.map((path) => [path, null]));

let b: Bench;
let journey: Journey;
beforeEach(async () => {
  b = await bench();
  const issue = b.github.openIssue(REPO, { title: "Hello", body: "please", by: "ada" });
  journey = new Journey(b, { origin: { kind: "comment", issue, comment_id: 1 } });
  await journey.perform(BRIEF);
  news("in_progress");
  journey.tell({
    type: "hand-in",
    old_workflow: false,
    run_id: 500,
    attempt: 1,
    result: work({ body: "As handed in." }),
  });
});
afterEach(() => b.close());

function news(status: "in_progress" | "completed", ended = "success"): void {
  const conclusion = status === "completed" ? ended : null;
  const brief = { head_sha: journey.job.brief_sha ?? "", commit_message: `Run job ${ID}: x` };
  journey.tell({ type: "run-changed", run: run({ status, conclusion }), ...brief });
}

const pushes = (files: Record<string, string | null>): string =>
  b.github.pushCommit(REPO, BRANCH, files, "journeyman[bot]", `Job ${ID}: Say hello`);
const clean = (): string => pushes({ "HELLO.md": "hello\n", ...GONE });

describe("a result that was handed in", () => {
  it("with its push known opens the pull request in one write", async () => {
    journey.tell({ type: "head-moved", sha: clean(), clean: true });
    news("completed");
    expect(await journey.callsOf(OPEN)).toEqual(["POST /repos/:owner/:repo/pulls"]);
    expect(journey.job.pull_request).not.toBeNull();
  });

  it("whose push was not reported is found by one query, and the pull request opens in one write", async () => {
    const sha = clean();
    news("completed");
    expect(await journey.callsOf(READ)).toEqual(["graphql Result"]);
    expect(journey.job).toMatchObject({ status: "submitted", head_sha: sha, result: { body: "As handed in." } });
    expect(await journey.callsOf(OPEN)).toEqual(["POST /repos/:owner/:repo/pulls"]);
  });

  it("is looked up again where an earlier attempt may have opened the pull request", async () => {
    journey.tell({ type: "head-moved", sha: clean(), clean: true });
    news("completed");
    const submitted = journey.job;
    await journey.perform(OPEN);
    const opened = journey.job.pull_request;
    const again = command(await b.performer.perform(OPEN, submitted, true));
    expect(again).toMatchObject({ type: "pull-request-opened", number: opened?.number });
    expect(b.github.pulls(REPO)).toHaveLength(1);
  });

  it("is read from the branch, and the folder removed, when the run pushed with its own token", async () => {
    const result = JSON.stringify({ version: 1, outcome: "done", title: "T", body: "As pushed." });
    pushes({ "HELLO.md": "hello\n", [`.jobs/${ID}/result.json`]: result, [`.jobs/${ID}/log.jsonl`]: "" });
    news("completed");
    await journey.perform(READ);
    expect(journey.job).toMatchObject({
      status: "submitted",
      result: { body: "As pushed.", changed_files: ["HELLO.md"] },
    });
    expect(await journey.callsOf(OPEN)).toEqual(["graphql Clean", "POST /repos/:owner/:repo/pulls"]);
  });

  it("fails the attempt when nothing was pushed", async () => {
    news("completed");
    await journey.perform(READ);
    expect(journey.job).toMatchObject({ status: "queued", attempt: 2, pull_request: null });
    expect(journey.job.failure).toMatch(/its push did not reach the branch/);
  });

  it.each([
    ["alone", {}],
    ["with a commit of somebody else's", { "theirs.txt": "t" }],
  ])("says in GitHub's words why nothing was pushed, where the run has told that, %s", async (_, theirs) => {
    const reason = "The work could not be pushed: GitHub refused it. File big.bin is 120.00 MB.";
    const refused = work({ outcome: "failed", reason, changed_files: [] });
    journey.tell({ type: "hand-in", old_workflow: false, run_id: 500, attempt: 1, result: refused });
    if (Object.keys(theirs).length > 0) pushes(theirs);
    news("completed", "failure");
    await journey.perform(READ);
    expect(journey.job).toMatchObject({ status: "queued", attempt: 2, failure: reason });
  });

  it("stands without a push when it is words alone", async () => {
    const question = work({ outcome: "question", reason: "Which colour?", changed_files: [] });
    journey.tell({ type: "hand-in", old_workflow: false, run_id: 500, attempt: 1, result: question });
    news("completed");
    await journey.perform(READ);
    const result = { reason: "Which colour?" };
    expect(journey.job).toMatchObject({ status: "waiting_for_user", pull_request: null, result });
  });

  it("is not taken for the work of another attempt", async () => {
    journey.tell({
      ...{ type: "run-changed", run: run({ attempt: 2 }), head_sha: journey.job.brief_sha ?? "" },
      commit_message: `Run job ${ID}: x`,
    });
    clean();
    journey.tell({
      ...{ type: "run-changed", run: run({ attempt: 2, status: "completed", conclusion: "success" }) },
      ...{ head_sha: journey.job.brief_sha ?? "", commit_message: `Run job ${ID}: x` },
    });
    await journey.perform(READ);
    expect(journey.job.result?.body).not.toBe("As handed in.");
  });
});

describe("progress", () => {
  it("makes the check run, and says in it what the log says", async () => {
    expect(await journey.callsOf({ type: "show-progress" })).toEqual(["POST /repos/:owner/:repo/check-runs"]);
    expect(await journey.callsOf({ type: "show-progress" })).toEqual([
      "PATCH /repos/:owner/:repo/check-runs/:check_run_id",
    ]);
    expect(b.github.checkRuns(REPO, BRANCH)).toMatchObject([{ name: "journeyman", status: "in_progress" }]);
  });

  it("is left out, and not tried again, while GitHub is away", async () => {
    b.github.faults.add({ match: { method: "POST" }, status: 502, times: 1 });
    expect(await b.performer.perform({ type: "show-progress" }, journey.job, false)).toEqual({ ended: "done" });
    expect(b.github.checkRuns(REPO, BRANCH)).toEqual([]);
  });
});

describe("a token to push with", () => {
  const repository = () => ({ owner: "octo", name: "demo", installation_id: b.installation });
  const idOf = async (): Promise<number> => (await b.repositories.get("octo", "demo"))?.id ?? 0;

  it("can write this repository's contents, and nothing else here or elsewhere", async () => {
    b.github.createRepository({ owner: "octo", name: "other", files: { "README.md": "x" } });
    b.github.install("octo/other");
    const { token, expires_at } = await createPushTokens(sourceOf(b.github)).create(repository(), await idOf());
    expect([String(token), JSON.stringify({ token })]).toEqual(["[secret]", '{"token":"[secret]"}']);
    expect(Date.parse(expires_at)).toBeGreaterThan(Date.now());
    const call = async (method: string, path: string, body?: object): Promise<number> => {
      const headers = { authorization: `Bearer ${token.reveal()}`, "content-type": "application/json" };
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      return (await fetch(`${b.github.apiUrl}${path}`, { method, headers, ...text })).status;
    };
    const blob = { content: "x", encoding: "utf-8" };
    expect(await call("POST", "/repos/octo/demo/git/blobs", blob)).toBe(201);
    expect(await call("POST", "/repos/octo/demo/issues", { title: "x" })).toBe(403);
    expect(await call("POST", "/repos/octo/demo/pulls", { title: "x", head: BRANCH, base: "main" })).toBe(403);
    expect(await call("POST", "/repos/octo/other/git/blobs", blob)).toBeGreaterThanOrEqual(403);
  });

  it("is not made for a repository that the App does not have", async () => {
    await expect(createPushTokens(sourceOf(b.github)).create(repository(), 999_999)).rejects.toThrow();
  });
});
