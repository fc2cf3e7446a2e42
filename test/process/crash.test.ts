import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { builtProgram } from "../build.ts";
import { until } from "../flows/harness.ts";
import { type AppProcess, startApp } from "../sandbox/app-process.ts";
import { DEMO, startSandbox, WRITER } from "../sandbox/environment.ts";
import type { Fault } from "../sandbox/github/main.ts";

/** Where the process is killed, in the order in which a job comes by; `before: false`: GitHub has done it already. */
const POINTS: readonly (readonly [string, Fault["match"], { readonly before: boolean }])[] = [
  [
    "after the commit that creates the job, before its first effect",
    { method: "POST", path: /\/git-receive-pack$/ },
    { before: true },
  ],
  [
    "when the branch is made and no event of it has come",
    { method: "POST", path: /\/git-receive-pack$/ },
    { before: false },
  ],
  [
    "when the comment is written and its id is not known",
    { method: "POST", path: /\/issues\/\d+\/comments$/ },
    { before: false },
  ],
  [
    "when the job's folder is removed and the head is not known",
    { graphql: /createCommitOnBranch/ },
    { before: false },
  ],
  [
    "when the pull request is open and its number is not known",
    { method: "POST", path: /\/pulls$/ },
    { before: false },
  ],
  ["when the check run is made and its id is not known", { method: "POST", path: /\/check-runs$/ }, { before: false }],
  ["when it is merged and no event of it has come", { method: "PUT", path: /\/merge$/ }, { before: false }],
];

async function withKills() {
  const dataDir = await mkdtemp(join(tmpdir(), "journeyman-crash-"));
  const sandbox = await startSandbox({ program: builtProgram });
  const { github } = sandbox;
  let app: AppProcess | null = null;
  onTestFinished(async () => {
    await app?.kill();
    await sandbox.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const start = (): Promise<AppProcess> =>
    startApp({
      program: builtProgram,
      github,
      dataDir,
      port: 0,
      webhookSecret: "crash-webhook-secret-0123456789",
      apiKey: "crash-admin-key-0123456789",
      defaultRepository: DEMO,
      onComplaint: () => {},
    });
  app = await start();
  return {
    sandbox,
    async killedAt(points: typeof POINTS, begin: () => unknown) {
      const stallAt = (index: number): void => {
        const point = points[index];
        if (point !== undefined)
          github.faults.add({ match: point[1], status: 0, before: point[2].before, stall: true });
      };
      stallAt(0);
      begin();
      for (const [index, [where]] of points.entries()) {
        await until(`the call ${where}`, () => github.faults.spent);
        await app?.kill();
        // before the start, since work begins with it
        stallAt(index + 1);
        // what it was told while it was down is asked for again at the start, as GitHub keeps it
        app = await start();
      }
    },
  };
}

it("loses nothing and doubles nothing when it is killed at every step of a job", async () => {
  const { sandbox, killedAt } = await withKills();
  const { github } = sandbox;
  const issue = github.openIssue(DEMO, { title: "Say hello", by: WRITER });
  await killedAt(POINTS, () =>
    github.comment(DEMO, issue, { body: "/job create HELLO.md that says hello", by: WRITER }),
  );

  await until("the pull request to be merged", () => github.pulls(DEMO).some((pull) => pull.merged));
  const ours = () => github.comments(DEMO, issue).filter((comment) => comment.user.endsWith("[bot]"));
  await until("the last word", () => ours()[0]?.body.includes("**Merged**") === true);
  await sandbox.idle();
  expect(ours()).toHaveLength(1);
  expect(github.pulls(DEMO)).toHaveLength(1);
  const runs = github.runs(DEMO).filter((run) => run.path.endsWith("run-job.yml") && run.conclusion !== "skipped");
  expect(runs).toHaveLength(1);
  const checksOn = (sha: string | undefined): string[] =>
    github
      .checkRuns(DEMO, sha ?? "")
      .filter((check) => check.name === "journeyman")
      .map((check) => check.status);
  expect(checksOn(github.pulls(DEMO)[0]?.headSha)).toEqual(["completed"]);
  // a run that ends while nobody listens has no check of its own
  expect(["completed", undefined]).toContain(checksOn(runs[0]?.headSha)[0]);
  expect(github.log(DEMO, "main").filter((commit) => commit.message.includes("HELLO"))).toHaveLength(1);
});

const SET_UP: typeof POINTS = [
  ["that reads the files", { graphql: /SetUp/ }, { before: false }],
  ["when the tree is made", { method: "POST", path: /fresh\/git\/trees$/ }, { before: false }],
  ["when the commit is made", { method: "POST", path: /fresh\/git\/commits$/ }, { before: false }],
  ["when the branch is made", { method: "POST", path: /fresh\/git\/refs$/ }, { before: false }],
  [
    "when the pull request is open and its number is not known",
    { method: "POST", path: /\/pulls$/ },
    { before: false },
  ],
];

it("opens one set-up pull request when it is killed after every call of it", async () => {
  const { sandbox, killedAt } = await withKills();
  const { github } = sandbox;
  github.createRepository({ owner: "octo", name: "fresh" });
  await killedAt(SET_UP, () => github.install("octo/fresh"));
  // Two readings after the last start: what the pull request says comes with the second.
  github.pushCommit("octo/fresh", "journeyman-set-up", { "NOTE.md": "seen\n" }, WRITER);
  await sandbox.idle();
  await until(
    "the App to have read it again",
    () => github.calls().filter(({ graphql }) => graphql === "SetUp").length > 3,
  );
  expect(github.pulls("octo/fresh").map(({ head, state }) => [head, state])).toEqual([["journeyman-set-up", "open"]]);
});
