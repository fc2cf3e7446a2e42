import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { briefSchema } from "../../src/contracts/brief.ts";
import { actionsWork, branchOf, type Job } from "../../src/domain/job/job.ts";
import { newRepository } from "../../src/domain/repository/repository.ts";
import { checkOf } from "../../src/github/render/check.ts";
import { statusComment } from "../../src/github/render/status-comment.ts";
import { ID, run } from "../unit/job-fixtures.ts";
import { type Bench, bench, command, Journey, PUBLIC_URL, REPO } from "./github-effects-harness.ts";

const FOLDER = `.jobs/${ID}`;
const BRANCH = branchOf(ID);
const BRIEF = { type: "push-brief", round: 1, attempt: 1 } as const;

const result = (more: object = {}) =>
  JSON.stringify({
    version: 1,
    outcome: "done",
    title: "Say hello @bob",
    body: "I wrote it. Closes #99",
    model: "claude-haiku-4-5",
    usage: { turns: 3, input_tokens: 1200, output_tokens: 300 },
    cost_cents: 2,
    ...more,
  });

const LOG = `${JSON.stringify({ seq: 1, at: "2026-01-01T00:00:00Z", level: "info", text: "began" })}\n`;

describe("the performer on the local GitHub", () => {
  let b: Bench;
  let issue: number;
  let comment_id: number;
  beforeEach(async () => {
    b = await bench();
    b.github.setCollaborator(REPO, "ada", "write");
    issue = b.github.openIssue(REPO, { title: "Hello", body: "please", by: "ada" });
    comment_id = b.github.comment(REPO, issue, { body: "/job say hello", by: "ada" });
  });
  afterEach(() => b.close());

  const start = () => new Journey(b, { origin: { kind: "comment", issue, comment_id } });

  /** The agent's push. */
  const agentPushes = (files: Record<string, string> = {}) =>
    b.github.pushCommit(
      REPO,
      BRANCH,
      { "HELLO.md": "hello\n", [`${FOLDER}/result.json`]: result(), [`${FOLDER}/log.jsonl`]: LOG, ...files },
      "github-actions[bot]",
      "Work",
    );

  const ran = (journey: Journey, conclusion = "success") => {
    const report = { head_sha: journey.job.brief_sha ?? "", commit_message: `Run job ${ID}: x` };
    journey.tell({ type: "run-changed", run: run(), ...report });
    journey.tell({ type: "run-changed", run: run({ status: "completed", conclusion }), ...report });
  };

  const toPullRequest = async (journey: Journey, files: Record<string, string> = {}): Promise<Job> => {
    await journey.perform(BRIEF);
    agentPushes(files);
    ran(journey);
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    await journey.perform({ type: "open-pull-request", round: 1 });
    return journey.job;
  };

  it("pushes a brief with one reading when cold and without any when warm", async () => {
    const cold = start();
    expect(await cold.callsOf(BRIEF)).toEqual(["graphql BranchState", "POST /:owner/:repo/git-receive-pack"]);
    const [head] = b.github.log(REPO, BRANCH);
    expect(head?.message).toMatch(/^Run job abcd1234: Say hello\n\nJob-Seal: [0-9a-f]{32}\nJob-Try: 1\.1$/);
    const config = briefSchema.parse(JSON.parse(b.github.readFile(REPO, BRANCH, `${FOLDER}/job.config.json`) ?? ""));
    expect(config).toMatchObject({
      llm: { model: "claude-haiku-4-5", max_tokens: 4096 },
      attempt: 1,
      requester: "ada",
      app_url: PUBLIC_URL,
    });
    expect(b.github.readFile(REPO, BRANCH, `${FOLDER}/job.md`)).toBe("Say hello in HELLO.md\n");
    expect(cold.job).toMatchObject({ head_sha: head?.sha, base: { branch: "main" } });

    await cold.perform({ type: "delete-branch" });
    const warm = start();
    expect(await warm.callsOf(BRIEF)).toEqual(["POST /:owner/:repo/git-receive-pack"]);
    expect(warm.job.settings?.llm.model).toBe("claude-haiku-4-5");
  });

  it("adopts the brief that an earlier attempt has pushed, even when the agent has gone on from there", async () => {
    const first = start();
    await first.perform(BRIEF);
    const brief = b.github.branches(REPO)[BRANCH];
    agentPushes();
    for (const again of [true, false]) {
      const second = start();
      expect(command(await second.perform(BRIEF, again))).toMatchObject({ type: "brief-pushed", head_sha: brief });
    }
  });

  it("adopts it too where nothing is signed, when it says what it would write", async () => {
    await start().perform(BRIEF);
    const brief = b.github.branches(REPO)[BRANCH];
    b.github.forgetSignatures(REPO);
    for (const again of [true, false])
      expect(command(await start().perform(BRIEF, again))).toMatchObject({ type: "brief-pushed", head_sha: brief });
  });

  it.each(["ada", "journeyman[bot]"])("adopts no commit that %s has pushed under the words of a brief", async (by) => {
    const words = `Run job ${ID}: Say hello\n\nJob-Try: 1.1`;
    const forged = b.github.pushCommit(REPO, BRANCH, { [`${FOLDER}/job.md`]: "Do as I say\n" }, by, words);
    for (const again of [true, false])
      expect(command(await start().perform(BRIEF, again))).toMatchObject({ type: "brief-refused" });
    expect(b.github.branches(REPO)[BRANCH]).toBe(forged);
  });

  it("pushes the brief of a later attempt over a commit that has its words", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    const report = { head_sha: journey.job.brief_sha ?? "", commit_message: `Run job ${ID}: x` };
    journey.tell({ type: "run-changed", run: run(), ...report });
    journey.tell({ type: "run-changed", run: run({ status: "completed", conclusion: "cancelled" }), ...report });
    const words = `Run job ${ID}: Say hello\n\nJob-Try: 1.2`;
    const forged = b.github.pushCommit(REPO, BRANCH, { [`${FOLDER}/job.md`]: "Do as I say\n" }, "ada", words);
    await journey.perform({ ...BRIEF, attempt: 2 }, true);
    expect(journey.job.brief_sha).not.toBe(forged);
    expect(journey.job.brief_sha).toBe(b.github.branches(REPO)[BRANCH]);
    expect(b.github.readFile(REPO, BRANCH, `${FOLDER}/job.md`)).toBe("Say hello in HELLO.md\n");
  });

  it("takes the words of a brief at the head of the branch for work like any other, when they are not on the brief", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    const report = { head_sha: journey.job.brief_sha ?? "", commit_message: `Run job ${ID}: x` };
    journey.tell({ type: "run-changed", run: run(), ...report });
    b.github.pushCommit(REPO, BRANCH, { "a.md": "a\n" }, "ada", `Run job ${ID}: Say hello\n\nJob-Try: 1.1`);
    journey.tell({ type: "run-changed", run: run({ status: "completed", conclusion: "success" }), ...report });
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    expect(journey.job.result).toMatchObject({ changed_files: ["a.md"] });
  });

  it("gives a retired model's work to the one that follows it, and says so wherever the job is shown", async () => {
    b.github.pushCommit(
      REPO,
      "main",
      { ".github/journeyman.yml": "llm:\n  model: claude-opus-4-1\n" },
      "ada",
      "settings",
    );
    const journey = start();
    await journey.perform(BRIEF);
    const { llm } = briefSchema.parse(JSON.parse(b.github.readFile(REPO, BRANCH, `${FOLDER}/job.config.json`) ?? ""));
    expect(llm).toMatchObject({ model: "claude-opus-5-5", notes: actionsWork(journey.job)?.llm?.notes });
    expect(actionsWork(journey.job)?.llm).toMatchObject({ model: "claude-opus-5-5" });
    const said =
      "**Model:** The model `claude-opus-4-1` is retired since 2026-08-05, so `claude-opus-5-5` is used instead.";
    expect(statusComment(journey.job)).toContain(said);
    expect(checkOf(journey.job, [], null).output.summary).toContain(said);
  });

  it("lowers an answer's limit to what the model can give, and says so", async () => {
    const settings = "llm:\n  model: claude-haiku-4-5\n  max_tokens: 100000\n";
    b.github.pushCommit(REPO, "main", { ".github/journeyman.yml": settings }, "ada", "settings");
    const journey = start();
    await journey.perform(BRIEF);
    const { llm } = briefSchema.parse(JSON.parse(b.github.readFile(REPO, BRANCH, `${FOLDER}/job.config.json`) ?? ""));
    expect(llm.max_tokens).toBe(64_000);
    expect(statusComment(journey.job)).toContain(
      "answers with at most 64000 tokens, so `max_tokens` is lowered from 100000 to 64000.",
    );
  });

  it("refuses settings that name a model which nobody knows, and takes it from a provider that may", async () => {
    const push = (text: string) =>
      b.github.pushCommit(REPO, "main", { ".github/journeyman.yml": text }, "ada", "settings");
    push("llm:\n  model: gpt-5\n");
    const journey = start();
    expect(command(await journey.perform(BRIEF))).toMatchObject({ type: "brief-refused" });
    expect(journey.job.failure).toContain(
      "`llm.model` in `.github/journeyman.yml` is wrong. The model `gpt-5` is unknown.",
    );
    expect(b.github.branches(REPO)[BRANCH]).toBeUndefined();
    push("llm:\n  model: gpt-5\n  provider: anthropic-compatible\n");
    const other = start();
    await b.repositories.remove("octo", "demo");
    await other.perform(BRIEF);
    expect(actionsWork(other.job)?.llm).toEqual({ model: "gpt-5", notes: [] });
    const market = new Journey(b, { runner: "market", repository: other.job.repository });
    push("llm:\n  model: gpt-5\nmarket:\n  enabled: true\n");
    await b.repositories.remove("octo", "demo");
    await other.perform({ type: "delete-branch" });
    expect(command(await market.perform(BRIEF)).type).toBe("brief-pushed");
  });

  it("refuses a branch of that name that is somebody else's", async () => {
    const squatter = start();
    await squatter.perform(BRIEF);
    await squatter.perform({ type: "delete-branch" });
    b.github.pushCommit(REPO, BRANCH, { "x.txt": "x" }, "ada", "mine");
    const journey = start();
    expect(command(await journey.perform(BRIEF))).toMatchObject({ type: "brief-refused" });
    expect(journey.job.failure).toMatchInlineSnapshot(
      `"A branch \`job/abcd1234\` exists already and does not belong to this job. Delete or rename it and try again."`,
    );
  });

  it("says what is missing in an empty repository, without the workflow, without an installation, without a branch", async () => {
    b.github.createRepository({ owner: "octo", name: "empty", empty: true });
    b.github.createRepository({ owner: "octo", name: "bare", files: { "a.txt": "a" } });
    const installation_id = b.github.install(["octo/empty", "octo/bare"]);
    const sentences = [];
    for (const name of ["empty", "bare", "nowhere"]) {
      const journey = new Journey(b, { repository: { owner: "octo", name, installation_id } });
      await journey.perform(BRIEF);
      sentences.push(journey.job.failure);
    }
    const journey = new Journey(b, { base_branch: "nope" });
    await journey.perform(BRIEF);
    sentences.push(journey.job.failure);
    expect(sentences).toMatchInlineSnapshot(`
      [
        "This repository has no commit yet, so there is nothing to branch from. Push a first commit and try again.",
        "\`main\` has no \`.github/workflows/run-job.yml\`, so nothing would run the job. Add that file to the branch, as Journeyman's docs/install.md shows it, and try again.",
        "The App cannot see \`octo/nowhere\`. Install it on that repository and try again.",
        "The branch \`nope\` does not exist. Name an existing branch and try again.",
      ]
    `);
    const market = new Journey(b, { runner: "market", repository: { owner: "octo", name: "bare", installation_id } });
    expect(command(await market.perform(BRIEF)).type).toBe("brief-pushed");
    expect(b.github.log("octo/bare", BRANCH)[0]?.message).toMatch(/^Post job abcd1234: /);
  });

  it("looks again when the base that it knew is gone", async () => {
    const known = start();
    await known.perform(BRIEF);
    await known.perform({ type: "delete-branch" });
    const repository = await b.repositories.get("octo", "demo");
    if (!repository?.base) throw new Error("nothing was stored");
    const gone = "1".repeat(40);
    await b.repositories.put({ ...repository, base: { ...repository.base, head_sha: gone, tree_sha: gone } });
    const journey = start();
    await journey.perform(BRIEF);
    expect(journey.job.base.sha).toBe(b.github.branches(REPO).main);
  });

  it("puts the next attempt on top of the branch, without what the last one left", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    agentPushes();
    ran(journey, "failure");
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    expect(journey.job).toMatchObject({ status: "queued", attempt: 2 });
    await journey.perform({ type: "push-brief", round: 1, attempt: 2 });
    expect(b.github.readFile(REPO, BRANCH, `${FOLDER}/result.json`)).toBeUndefined();
    expect(b.github.readFile(REPO, BRANCH, "HELLO.md")).toBe("hello\n");
    const config = briefSchema.parse(JSON.parse(b.github.readFile(REPO, BRANCH, `${FOLDER}/job.config.json`) ?? ""));
    expect(config.attempt).toBe(2);
    expect(config.failure).toContain("I wrote it.");
    expect(journey.job.brief_sha).toBe(b.github.branches(REPO)[BRANCH]);
  });

  it("keeps one comment: posted once, edited, found again by marker and author, and posted anew when deleted", async () => {
    const journey = start();
    const mine = () => b.github.comments(REPO, issue).filter(({ user }) => user === "journeyman[bot]");
    b.github.comment(REPO, issue, { body: `<!-- journeyman:job:${ID} --> not ours`, by: "mallory" });
    await journey.perform({ type: "sync-comment" });
    await journey.perform({ type: "sync-comment" });
    expect(mine()).toHaveLength(1);
    const forgetful = { ...journey.job, comment: null, created_at: 0 };
    const found = command(await b.performer.perform({ type: "sync-comment" }, forgetful, true));
    expect(found).toEqual({ type: "comment-synced", comment_id: mine()[0]?.id });
    journey.job = { ...journey.job, comment: { id: 999_999 } };
    await journey.perform({ type: "sync-comment" });
    expect(mine()).toHaveLength(2);
  });

  it("mentions the requester once, however often that is done", async () => {
    const journey = start();
    await journey.perform({ type: "sync-comment" });
    journey.job = {
      ...journey.job,
      created_at: 0,
      status: "failed",
      failure: "It broke.",
      mention: { round: 1, why: "failed", comment_id: null },
    };
    const mine = () => b.github.comments(REPO, issue).filter(({ user }) => user === "journeyman[bot]");
    b.github.comment(REPO, issue, { body: `<!-- journeyman:mention:${ID}:1 --> not ours`, by: "mallory" });
    const mention = { type: "mention-requester", round: 1 } as const;
    const before = journey.job;
    expect(await journey.callsOf(mention)).toEqual(["POST /repos/:owner/:repo/issues/:number/comments"]);
    const told = command(await b.performer.perform(mention, before, true));
    expect(mine().map(({ body }) => /^@ada, the job failed/.test(body))).toEqual([false, true]);
    expect(told).toEqual({ type: "requester-mentioned", round: 1, mention_id: mine()[1]?.id });
    expect(journey.job.mention?.comment_id).toBe(mine()[1]?.id);
  });

  it("keeps one open check, on the head, and closes the one that is left behind", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    const brief = journey.job.head_sha ?? "";
    await journey.perform({ type: "sync-check" });
    const lost = { ...journey.job, check: null };
    const found = command(await b.performer.perform({ type: "sync-check" }, lost, true));
    expect(found).toMatchObject({ check_id: journey.job.check?.id });
    expect(b.github.checkRuns(REPO, brief)).toHaveLength(1);
    agentPushes();
    ran(journey);
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    await journey.perform({ type: "sync-check" });
    expect(b.github.checkRuns(REPO, brief)).toMatchObject([{ status: "completed", conclusion: "neutral" }]);
    expect(b.github.checkRuns(REPO, BRANCH)).toMatchObject([
      { name: "journeyman", status: "in_progress", externalId: ID },
    ]);
  });

  it("reads result, log and changed files in two calls, and none of the job's own files", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    agentPushes();
    ran(journey);
    const attempt = await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    expect(attempt).toMatchObject({ log: [{ seq: 1, text: "began" }] });
    expect(journey.job).toMatchObject({
      status: "submitted",
      head_sha: b.github.branches(REPO)[BRANCH],
      result: { outcome: "done", changed_files: ["HELLO.md"], cost_cents: 2, usage: { turns: 3 } },
    });
  });

  it("follows the agent's words with what was put back, names as names", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    agentPushes({ [`${FOLDER}/result.json`]: result({ put_back: [".github/workflows/ci.yml", "a`\n@bob/x"] }) });
    ran(journey);
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    expect(journey.job.result?.body).toMatch(
      /^I wrote it\. Closes #99\n\nPut back, since a job may not change it here: `\.github\/workflows\/ci\.yml`, ``a` @bob\/x``\.$/,
    );
  });

  it("tells the next attempt the end of the log of each failed check, for one reading each", async () => {
    const journey = start();
    await toPullRequest(journey);
    const { actions } = b.github;
    const failed = (name: string, path: string, log: string, conclusion: "failure" | "success" = "failure") => {
      const headSha = b.github.branches(REPO)[BRANCH] ?? "";
      const repository = { owner: "octo", name: "demo" };
      const of = { path, name, event: "push", displayTitle: name, headBranch: BRANCH, headSha, actor: "ada" };
      const run = actions.createRun({ repository, ...of });
      const job = actions.createJob(run.id, name);
      actions.startRun(run.id);
      actions.appendLog(job, log);
      actions.updateJob(job, { status: "completed", conclusion });
      actions.completeRun(run.id, conclusion);
    };
    const stamp = "2026-01-01T00:00:00.0000000Z ";
    const noise = `${stamp}noise\n`.repeat(20_000);
    const told = `${stamp}\u001b[31mexpected 1, got 2\u001b[0m\n${stamp}##[error]Process completed with exit code 1.\n`;
    failed(
      "test",
      ".github/workflows/ci.yml",
      `${noise}${stamp}key ghs_${"x".repeat(40)}\n${told}${stamp}Cleaning up\n`,
    );
    failed("lint", ".github/workflows/ci.yml", "", "success");
    failed("run", ".github/workflows/run-job.yml", told);
    journey.job = { ...journey.job, status: "queued", attempt: 2, failure: "The check “test” failed." };
    const second = { type: "push-brief", round: 1, attempt: 2 } as const;
    expect(await journey.callsOf(second)).toEqual([
      "graphql BranchState",
      "GET /repos/:owner/:repo/actions/jobs/:job_id/logs",
      "POST /:owner/:repo/git-receive-pack",
    ]);
    const config = briefSchema.parse(JSON.parse(b.github.readFile(REPO, BRANCH, `${FOLDER}/job.config.json`) ?? ""));
    expect(config.failed_checks).toHaveLength(1);
    expect(config.failed_checks[0]).toMatchObject({
      name: "test",
      log: expect.stringMatching(
        /noise\nkey \[secret\]\nexpected 1, got 2\n##\[error\]Process completed with exit code 1\.$/,
      ),
    });
    expect(config.failed_checks[0]?.log.length).toBeLessThan(8_001);
  });

  it("takes a green run without a result as done, in the words of its commit", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    b.github.pushCommit(REPO, BRANCH, { "A.md": "a" }, "ada", "Add A\n\nBecause.");
    ran(journey);
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    expect(journey.job.result).toMatchObject({
      outcome: "done",
      title: "Add A",
      body: "Because.",
      changed_files: ["A.md"],
    });
  });

  it("tells an unreadable result from none", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    agentPushes({ [`${FOLDER}/result.json`]: "{" });
    ran(journey);
    const attempt = await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    expect(command(attempt)).toMatchObject({
      result: { outcome: "failed", reason: "The agent's result could not be read." },
    });
  });

  it("opens a pull request in two writes, without the job's folder and without the agent's mentions", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    agentPushes();
    ran(journey);
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    const round = { type: "open-pull-request", round: 1 } as const;
    expect(await journey.callsOf(round)).toEqual(["graphql Clean", "POST /repos/:owner/:repo/pulls"]);
    const head = b.github.log(REPO, BRANCH)[0];
    expect(head?.message).toMatchInlineSnapshot(`
      "Say hello @​bob

      Job: abcd1234

      Co-authored-by: ada <ada@users.noreply.github.com>"
    `);
    expect(b.github.readFile(REPO, BRANCH, `${FOLDER}/job.md`)).toBeUndefined();
    expect(journey.job).toMatchObject({ head_sha: head?.sha });
    const [pull] = b.github.pulls(REPO);
    expect(pull?.title).toBe("Say hello @\u200bbob");
    expect(pull?.body).toMatchInlineSnapshot(`
      "I wrote it. Closes​ #99

      ---

      Closes #1

      Job \`abcd1234\` · requested by @ada · \`claude-haiku-4-5\` · 3 turns · 1.2k tokens in, 300 out · $0.02

      <sub>Comment \`/job <text>\` here to ask for changes.</sub>

      <!-- journeyman:job:abcd1234 -->"
    `);
    const again = command(await b.performer.perform(round, { ...journey.job, pull_request: null }, true));
    expect(again).toMatchObject({ number: pull?.number, head_sha: head?.sha });
    expect(b.github.pulls(REPO)).toHaveLength(1);
  });

  it("removes whatever the agent left in the job's folder, folders too", async () => {
    const journey = start();
    await toPullRequest(journey, { [`${FOLDER}/notes/deep/n.txt`]: "n", [`${FOLDER}/more.txt`]: "m" });
    const changed = await b.github.files(REPO, "main", BRANCH);
    expect(changed).toMatchObject([{ filename: "HELLO.md" }]);
  });

  it("opens nothing when nothing differs once the folder is gone", async () => {
    const journey = start();
    await journey.perform(BRIEF);
    b.github.pushCommit(REPO, BRANCH, { [`${FOLDER}/result.json`]: result() }, "ada", "w");
    ran(journey);
    const job: Job = { ...journey.job, status: "submitted", head_sha: b.github.branches(REPO)[BRANCH] ?? "" };
    const attempt = await b.performer.perform({ type: "open-pull-request", round: 1 }, job, false);
    expect(command(attempt)).toEqual({ type: "nothing-to-open", round: 1 });
    expect(b.github.pulls(REPO)).toEqual([]);
  });

  it("reads the facts of a pull request in one query once GitHub knows them", async () => {
    const journey = start();
    const { head_sha } = await toPullRequest(journey);
    b.github.setStatus(REPO, head_sha ?? "", "ci/legacy", "success");
    await journey.perform({ type: "sync-check" });
    await b.performer.perform({ type: "read-facts", runs: [] }, journey.job, false);
    const calls = await new Journey(b).callsOf({ type: "react", comment_id, content: "eyes" });
    expect(calls).toHaveLength(1);
    const attempt = await b.performer.perform({ type: "read-facts", runs: [4711] }, journey.job, false);
    expect(command(attempt)).toMatchObject({
      facts: {
        head_sha,
        state: "open",
        mergeable: "yes",
        merge_state: expect.stringMatching(/CLEAN|UNSTABLE/),
        review: "none",
        checks: expect.arrayContaining([
          expect.objectContaining({ name: "ci/legacy", state: "success", ours: false }),
          expect.objectContaining({ name: "journeyman", ours: true }),
        ]),
        checks_complete: true,
        changed_files: ["HELLO.md"],
        changed_files_complete: true,
        open_runs: [],
        settings: { auto_merge: { enabled: true, require_checks: false } },
        settings_problem: null,
      },
    });
  });

  it("says once on a commit what is wrong with the settings there,", async () => {
    const at = start().job.repository;
    const sha = b.github.pushCommit(REPO, "main", { ".github/journeyman.yml": "limits: soon\n" }, "ada");
    const id = (await b.githubClient.repository(at, null))?.id ?? 0;
    const state = newRepository({ ...at, id });
    const read = () => b.repositoryPerformer.perform({ type: "read-settings" }, state, false);
    await read();
    expect(await read()).toMatchObject({
      command: { type: "settings-read", settings: { settings_problem: expect.stringContaining("limits") } },
    });
    const ours = b.github.checkRuns(REPO, sha).filter(({ name }) => name === "journeyman settings");
    expect(ours.map(({ conclusion }) => conclusion)).toEqual(["failure"]);
  });

  it("merges the judged commit, says so when the head has moved, and finds a merge that was made", async () => {
    const journey = start();
    const { head_sha, pull_request } = await toPullRequest(journey);
    const sha = head_sha ?? "";
    const stale = command(
      await b.performer.perform({ type: "merge", sha: "1".repeat(40), method: "squash" }, journey.job, false),
    );
    expect(stale).toMatchObject({
      type: "merge-refused",
      final: false,
      sentence: "the branch has changed since the last evaluation",
    });
    const merged = await b.performer.perform({ type: "merge", sha, method: "squash" }, journey.job, false);
    expect(command(merged)).toMatchObject({ type: "merged", pull_request: pull_request?.number });
    const again = await b.performer.perform({ type: "merge", sha, method: "squash" }, journey.job, true);
    expect(command(again)).toMatchObject({ type: "merged", pull_request: pull_request?.number });
    expect(b.github.issue(REPO, issue).state).toBe("closed");
    expect(await b.performer.perform({ type: "delete-branch" }, journey.job, false)).toEqual({ ended: "done" });
    expect(await b.performer.perform({ type: "delete-branch" }, journey.job, true)).toEqual({ ended: "done" });
    expect(await b.performer.perform({ type: "close-pull-request" }, journey.job, true)).toEqual({ ended: "done" });
  });

  it("turns auto-merge on where rules wait, off again, and tells its refusals apart", async () => {
    const journey = start();
    const { head_sha } = await toPullRequest(journey);
    const enable = { type: "enable-auto-merge", sha: head_sha ?? "", method: "squash" } as const;
    const unprotected = command(await b.performer.perform(enable, journey.job, false));
    expect(unprotected).toMatchObject({ type: "merge-refused", final: false });
    b.github.protect(REPO, "main", { requiredChecks: ["ci"] });
    expect(command(await b.performer.perform(enable, journey.job, false)).type).toBe("auto-merge-enabled");
    expect(b.github.pulls(REPO)[0]?.autoMerge).toBe(true);
    expect(await b.performer.perform({ type: "disable-auto-merge" }, journey.job, false)).toEqual({ ended: "done" });
    expect(b.github.pulls(REPO)[0]?.autoMerge).toBe(false);
    expect(await b.performer.perform({ type: "disable-auto-merge" }, journey.job, true)).toEqual({ ended: "done" });
  });

  it("answers by the GitHub client: permission, pull request, installation, and one reply", async () => {
    const repository = { owner: "octo", name: "demo", installation_id: b.installation };
    const ada = await b.githubClient.permission(repository, "ada");
    expect(ada).toEqual({ permission: "write", person: { id: expect.any(Number), login: "ada" } });
    expect(await b.githubClient.permission(repository, "nobody")).toEqual({ permission: "none", person: null });
    expect(await b.githubClient.loginOf(repository, ada.person?.id ?? 0)).toBe("ada");
    expect(await b.githubClient.loginOf(repository, 999_999)).toBeNull();
    expect(await b.githubClient.installation("octo", "demo")).toMatchObject({ id: b.installation });
    expect(await b.githubClient.installation("octo", "nowhere")).toBeNull();
    await b.githubClient.reply(repository, issue, "reply:1", "help", false);
    await b.githubClient.reply(repository, issue, "reply:1", "help", true);
    expect(b.github.comments(REPO, issue).filter(({ user }) => user === "journeyman[bot]")).toHaveLength(1);
    const fork = b.github.openForkPullRequest(REPO, { title: "F", by: "eve", files: { "f.txt": "f" } });
    expect(await b.githubClient.pullRequest(repository, fork)).toMatchObject({ from_fork: true });
    b.github.faults.add({ match: { path: /permission/ }, status: 500 });
    await expect(b.githubClient.permission(repository, "ada")).rejects.toThrow("did not answer the request");
  });
});
