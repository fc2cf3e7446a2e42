/** What a set-up costs of GitHub's limits: of one repository, and of five hundred at once. */
import { expect, it } from "vitest";
import { LIMITS } from "../../src/github/client/write-budget.ts";
import { OWNER } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

const ON = { SET_UP_PULL_REQUESTS: "true" };
const MINUTE = 61_000;
const MANY = 500;
/** That get their pull request without an event of their own. */
const AT_ONCE = 20;

it("opens the pull request with four writes and three reads at the most, and then edits it once a minute", async () => {
  const harness = await startHarness({}, ON);
  const { github } = harness;
  const { name } = github.createRepository({
    // in an installation of its own, so that each call is of this repository
    ...{ owner: "newcomer", name: "fresh" },
    files: { "README.md": "# fresh\n", ".github/workflows/ci.yml": "on: pull_request\njobs: {}\n" },
  });
  github.setCollaborator(name, "ada", "write");
  await harness.sandbox.idle();
  github.resetCalls();
  github.install(name);
  // before any clock is moved: GitHub's list of repositories takes no seconds
  await until(
    "the repository to be looked at",
    async () => (await harness.app.store.repositories.get("newcomer", "fresh"))?.set_up.phase === "reading",
  );
  await until("the pull request", () => {
    harness.pass(2_500);
    return github.pulls(name).length > 0;
  });
  const made = () => github.calls().filter(({ route }) => !route.endsWith("/access_tokens"));
  const writes = made()
    .filter(({ kind }) => kind === "write")
    .map(({ method, route }) => `${method} ${route}`);
  expect(writes).toEqual(
    ["trees", "commits", "refs"]
      .map((what) => `POST /repos/:owner/:repo/git/${what}`)
      .concat(["POST /repos/:owner/:repo/pulls"]),
  );
  const reads = () =>
    made()
      .filter(({ kind, actor }) => kind === "read" && actor === "installation")
      .map(({ route, graphql }) => graphql ?? route);
  expect(reads()).toEqual(["/installation/repositories", "SetUp", "Workflows"]);
  await until("what starts by itself to be read", () => {
    harness.pass(2_500);
    return reads().length > 3;
  });
  expect(reads().slice(3)).toEqual(["BranchState"]);

  const edits = () =>
    github.calls().filter(({ method, route }) => method === "PATCH" && /\/pulls\/:/.test(route)).length;
  for (let at = 0; at < 5; at++) {
    github.pushCommit(name, "journeyman-set-up", { "NOTE.md": `${at}\n` }, "ada");
    await harness.sandbox.idle();
    harness.pass(2_500);
  }
  expect(edits()).toBe(0);
  await until("the edit", () => {
    harness.pass(MINUTE);
    return edits() > 0;
  });
  await harness.sandbox.idle();
  expect(edits()).toBe(1);
});

it("installs on five hundred repositories within GitHub's limits, and a job meanwhile goes first", async () => {
  const harness = await startHarness({}, ON);
  const { github } = harness;
  /** When the App's clock was moved, and how far it was ahead from then on. */
  const moves = [{ at: 0, ahead: 0 }];
  const pass = (ms: number) => {
    moves.push({ at: Date.now(), ahead: (moves.at(-1)?.ahead ?? 0) + ms });
    harness.pass(ms);
  };
  const onAppClock = (at: number): number => at + (moves.findLast((move) => move.at <= at)?.ahead ?? 0);
  const names = Array.from({ length: MANY }, (_, at) => github.createRepository({ owner: OWNER, name: `r${at}` }).name);
  github.install(names);
  const opened = () => names.filter((name) => github.pulls(name).length > 0);
  const issue = harness.ask("/job create HELLO.md that says hello");
  pass(2_500);
  const { id } = await harness.jobOf(issue);
  // Nothing but the few seconds of the job itself goes by.
  await untilJob(harness, id, "merged", ({ merged_at }) => merged_at !== null);
  expect(opened().length).toBeLessThan(AT_ONCE);

  await until("the first pull requests", async () => {
    pass(MINUTE / 4);
    await harness.sandbox.idle();
    return opened().length >= AT_ONCE;
  });
  const last = names.filter((name) => !opened().includes(name)).at(-1) ?? "";
  github.setCollaborator(last, "ada", "write");
  github.openIssue(last, { title: "Hello", by: "ada" });
  github.pushCommit(last, "main", { "NOTE.md": "seen\n" }, "ada");
  await until("the pull request of one more", async () => {
    pass(MINUTE / 4);
    await harness.sandbox.idle();
    return opened().includes(last);
  });
  expect(opened()).toHaveLength(AT_ONCE + 1);
  const calls = github.calls();
  const writes = calls
    .filter(({ kind, actor }) => kind === "write" && actor === "installation")
    .map(({ at }) => onAppClock(at));
  for (const [span, most] of [
    [60_000, LIMITS.writes_per_minute],
    [3_600_000, LIMITS.writes_per_hour],
  ] as const)
    for (const from of writes)
      expect(writes.filter((at) => at >= from && at < from + span).length).toBeLessThanOrEqual(most);
  expect(calls.filter(({ route }) => route === "/installation/repositories")).toHaveLength(Math.ceil((MANY + 1) / 100));
});
