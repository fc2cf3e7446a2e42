/** Rules that want signed commits, on the job's branch and on its base, with real git and the real run action. */
import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const HELLO = "/job create HELLO.md that says hello";
const merged = (job: Job): boolean => job.merged_at !== null;
const settings = (method: string): string => `auto_merge:\n  enabled: true\n  method: ${method}\n`;
const named = ({ github }: Harness, part: string): number =>
  github.calls().filter(({ method, path }) => `${method} ${path}`.includes(part)).length;

/** The commits of the base that are not signed, without the first, which a person has pushed. */
const unsigned = ({ github }: Harness): string[] =>
  github
    .log(DEMO, "main")
    .slice(0, -1)
    .filter(({ sha }) => !github.isSigned(DEMO, sha))
    .map(({ message }) => message);

describe("a rule that wants signed commits", () => {
  it("on the branches of jobs is met by GitHub's own commit of the work, and nothing is left beside", async () => {
    const harness = await startHarness({ realRuns: true });
    harness.github.requireSignatures(DEMO, "job/**");
    const { id } = await harness.jobOf(harness.ask(HELLO));
    const job = await untilJob(harness, id, "merged", merged);
    expect(job.attempt_count).toBe(1);
    expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
    expect(unsigned(harness)).toEqual([]);
    expect(harness.github.refs(DEMO, "refs/journeyman/")).toEqual([]);
    // the brief's and the work's
    expect(named(harness, "POST /repos/octo/demo/git/commits")).toBe(2);
  });

  it("on the base is met by every commit where the method is merge", async () => {
    const harness = await startHarness({ realRuns: true, settings: settings("merge") });
    harness.github.requireSignatures(DEMO, "main");
    const { id } = await harness.jobOf(harness.ask(HELLO));
    await untilJob(harness, id, "merged", merged);
    expect(unsigned(harness)).toEqual([]);
    expect(harness.github.log(DEMO, "main")[0]?.parents).toHaveLength(2);
  });

  it("on the base and on the jobs' branches is met by the round that resolves a conflict", async () => {
    const files = { "LOG.md": "# Log\n" };
    const harness = await startHarness({ realRuns: true, files, settings: settings("merge") });
    const { github } = harness;
    for (const branch of ["main", "job/**"]) github.requireSignatures(DEMO, branch);
    github.protect(DEMO, "main", { requiredReviews: 1 });
    const { id } = await harness.jobOf(harness.ask("/job append mine to LOG.md"));
    await untilJob(harness, id, "green", (one) => one.status === "verified");
    github.pushCommit(DEMO, "main", { "LOG.md": "# Theirs\n" }, "ada");
    const again = await untilJob(harness, id, "resolved", (one) => one.round === 2 && one.status === "verified");
    github.review(DEMO, again.pull_request?.number ?? 0, { state: "APPROVED", by: "ada" });
    await untilJob(harness, id, "merged", merged);
    expect(github.readFile(DEMO, "main", "LOG.md")).toMatch(/mine/);
  });

  it("on the base is met by a squash of whatever commits", async () => {
    const harness = await startHarness();
    harness.github.requireSignatures(DEMO, "main");
    const { id } = await harness.jobOf(harness.ask(HELLO));
    await untilJob(harness, id, "merged", merged);
    expect(named(harness, "POST /repos/octo/demo/git/commits")).toBe(0);
    expect(unsigned(harness)).toEqual([]);
  });

  it("on the base refuses a rebase, which is said with what to do, and once that is done it merges", async () => {
    const harness = await startHarness({ settings: settings("rebase") });
    harness.github.requireSignatures(DEMO, "main");
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await until("the words", () =>
      /wants signed commits, and a rebase loses signatures; set/.test(harness.comment(issue)),
    );
    expect(named(harness, "/merge")).toBe(0);
    harness.github.pushCommit(DEMO, "main", { ".github/journeyman.yml": settings("squash") }, "ada");
    await untilJob(harness, id, "merged", merged);
  });

  it("on the base names a person's commits that are not signed, where the method is merge", async () => {
    const harness = await startHarness({ settings: settings("merge"), realRuns: true });
    harness.github.requireSignatures(DEMO, "main");
    harness.github.protect(DEMO, "main", { requiredChecks: ["e2e"] });
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    const { branch } = await untilJob(harness, id, "in review", (job) => job.pull_request !== null);
    const sha = harness.github.pushCommit(DEMO, branch, { "MORE.md": "more\n" }, "ada");
    harness.github.setStatus(DEMO, sha, "e2e", "success");
    await until("the words", () => /1 commit of the pull request is not; sign them/.test(harness.comment(issue)));
  });
});
