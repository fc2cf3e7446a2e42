/** How the brief is pushed, and what is done where a push does not do. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { branchOf } from "../../src/domain/job/job.ts";
import { git } from "../sandbox/github/git-command.ts";
import type { Fault } from "../sandbox/github/main.ts";
import { ID } from "../unit/job-fixtures.ts";
import { type Bench, bench, FILES, Journey, REPO } from "./github-effects-harness.ts";
import { client, installationToken } from "./sandbox-github/kit.ts";

const BRIEF = { type: "push-brief", round: 1, attempt: 1 } as const;
const BRANCH = branchOf(ID);

const PUSH = "POST /:owner/:repo/git-receive-pack";
const REFS = "GET /:owner/:repo/info/refs";
const LOOK = "GET /repos/:owner/:repo/git/ref/*ref";
const READ = "graphql BranchState";
const REST = [
  "POST /repos/:owner/:repo/git/trees",
  "POST /repos/:owner/:repo/git/commits",
  "POST /repos/:owner/:repo/git/refs",
];

const AT_PUSH: Fault["match"] = { method: "POST", path: /\/git-receive-pack$/ };

describe("the brief's push", () => {
  let b: Bench;
  let now = 1_000;
  beforeEach(async () => {
    now = 1_000;
    b = await bench({ ...FILES, ".jobs/old00000/job.md": "old\n", "größe 東京/x": "x\n" }, () => now);
    return () => b.close();
  });

  /** Pushes a brief to a branch that is not there, and answers the calls. */
  const calls = async (): Promise<string[]> => {
    const journey = new Journey(b);
    if (BRANCH in b.github.branches(REPO)) await journey.perform({ type: "delete-branch" });
    const made = await journey.callsOf(BRIEF);
    expect(journey.job).toMatchObject({ status: "queued", brief_sha: b.github.branches(REPO)[BRANCH] });
    return made;
  };

  it("is one call when the base and its trees are known", async () => {
    expect(await calls()).toEqual([READ, PUSH]);
    expect(await calls()).toEqual([PUSH]);
    b.github.pushCommit(REPO, "main", { "new.txt": "new\n" }, "ada", "Move on");
    await b.repositories.remove("octo", "demo");
    expect(await calls()).toEqual([READ, PUSH]);
  });

  it("leaves a repository that git finds nothing wrong with, whatever is beside the job's folder", async () => {
    const token = await installationToken(b.github, b.installation);
    const call = async (line: string, body?: object): Promise<string> => {
      const [method = "", path = ""] = line.split(" ");
      const answer = await client(b.github, `Bearer ${token}`)(`${method} /repos/${REPO}/git/${path}`, body);
      return z.object({ sha: z.string().optional() }).parse(answer.body).sha ?? "";
    };
    const link = { path: "link", mode: "120000", type: "blob", content: "README.md" };
    const script = { path: "run.sh", mode: "100755", type: "blob", content: "#!/bin/sh\n" };
    const base = b.github.branches(REPO).main ?? "";
    const module = { path: "sub", mode: "160000", type: "commit", sha: base };
    const tree = await call("POST trees", { base_tree: base, tree: [link, script, module] });
    const commit = await call("POST commits", { message: "Odd ones", tree, parents: [base] });
    await call("PATCH refs/heads/main", { sha: commit });

    expect(await calls()).toEqual([READ, PUSH]);
    const folder = await mkdtemp(join(tmpdir(), "push-clone-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const ask = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await git(folder, ["-c", "core.quotePath=false", ...args]);
      expect(code, stderr).toBe(0);
      return stdout.trimEnd();
    };
    await ask("clone", "-q", "--bare", `${b.github.url}/${REPO}.git`, ".");
    expect(await ask("fsck", "--strict", "--full")).not.toMatch(/error|warning/);
    expect((await ask("diff", "--name-status", commit, BRANCH)).split("\n")).toEqual([
      `A\t.jobs/${ID}/job.config.json`,
      `A\t.jobs/${ID}/job.md`,
    ]);
    expect(await ask("show", "-s", "--format=%an <%ae>", BRANCH)).toMatch(
      /^journeyman\[bot\] <\d+\+journeyman\[bot\]@users\.noreply\.127\.0\.0\.1>$/,
    );
  });

  it("asks for the refs before where the host wants that, and remembers it", async () => {
    b.github.takePushes("after its refs");
    expect(await calls()).toEqual([READ, PUSH, REFS, PUSH]);
    expect(await calls()).toEqual([REFS, PUSH]);
  });

  it("is made by REST where the host takes none, which is tried again after a while", async () => {
    b.github.takePushes("not");
    expect(await calls()).toEqual([READ, PUSH, REFS, LOOK, ...REST]);
    expect(await calls()).toEqual(REST);
    b.github.takePushes("at once");
    now += 10 * 60_000;
    expect(await calls()).toEqual([PUSH]);
  });

  it.each([
    ["is an error", { status: 502 }],
    ["is cut off", { status: 0, drop: true }],
  ])("counts when it was taken, though its answer %s", async (_name, fault) => {
    b.github.faults.add({ match: AT_PUSH, before: false, ...fault });
    expect(await calls()).toEqual([READ, PUSH, LOOK]);
  });

  it.each([
    ["an error", { status: 502 }],
    ["a cut connection", { status: 0, drop: true }],
  ])("is made by REST when %s came before it was taken, and tried again for the next job", async (_name, fault) => {
    b.github.faults.add({ match: AT_PUSH, ...fault });
    expect((await calls()).filter((call) => call !== PUSH)).toEqual([READ, LOOK, ...REST]);
    expect(await calls()).toEqual([PUSH]);
  });

  it("waits as long as GitHub asks, and does not turn to REST", async () => {
    await new Journey(b).perform({ type: "react", comment_id: 1, content: "eyes" });
    b.github.faults.add({ match: AT_PUSH, status: 403, secondary: true, retryAfter: 7 });
    b.github.resetCalls();
    expect(await new Journey(b).perform(BRIEF)).toMatchObject({ ended: "later", after_ms: 7_000 });
    expect(b.github.calls().map(({ route }) => route)).toEqual(["/graphql", "/:owner/:repo/git-receive-pack"]);
  });

  it("ends the job in GitHub's own words where a rule forbids it, once", async () => {
    b.github.forbidPushes(REPO, /^job\//, "- Cannot create ref due to creations being restricted, says @ada.");
    const journey = new Journey(b);
    expect(await journey.callsOf(BRIEF)).toEqual([READ, PUSH]);
    expect(journey.job.status).toBe("failed");
    expect(journey.job.failure).toContain("GH013");
    expect(journey.job.failure).toContain("creations being restricted");
    expect(journey.job.failure).not.toContain("@ada");
  });

  it("is made by REST where a rule wants signed commits, for which no time is lost", async () => {
    b.github.requireSignatures(REPO, "job/**");
    expect(await calls()).toEqual([READ, PUSH, ...REST]);
  });

  it("is known again after a crash, whatever has changed in the settings, and no copy of its words is", async () => {
    await calls();
    const own = b.github.branches(REPO)[BRANCH];
    b.github.pushCommit(REPO, "main", { ".github/journeyman.yml": "limits: {turns: 7}\n" }, "ada", "Other limits");
    expect(await new Journey(b).perform(BRIEF, true)).toMatchObject({
      command: { type: "brief-pushed", head_sha: own },
    });

    const [words] = b.github.log(REPO, BRANCH);
    await new Journey(b).perform({ type: "delete-branch" });
    b.github.pushCommit(REPO, BRANCH, { "mine.txt": "mine\n" }, "ada", words?.message ?? "");
    const [copy] = b.github.log(REPO, BRANCH);
    expect(copy?.message).toBe(words?.message);
    expect(await new Journey(b).perform(BRIEF, true)).toMatchObject({ command: { type: "brief-refused" } });
  });

  it("is told apart from a branch that is in the way", async () => {
    await calls();
    const second = new Journey(b);
    b.github.pushCommit(REPO, BRANCH, { "mine.txt": "mine\n" }, "ada", "Mine");
    const made = await second.callsOf({ ...BRIEF, attempt: 1 });
    expect(made.slice(0, 2)).toEqual([PUSH, READ]);
    expect(second.job.brief_sha).not.toBe(b.github.branches(REPO)[BRANCH]);
  });
});
