/** A conflict round as it is in earnest: the real run action merges the base, and its commit has both parents. */
import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

it("is merged by the run action, resolved by the agent, and merges the pull request", async () => {
  const harness = await startHarness({ realRuns: true, files: { "LOG.md": "# Log\n", "OLD.md": "# Old\n" } });
  const { github } = harness;
  github.protect(DEMO, "main", { requiredReviews: 1 });
  const issue = harness.ask("/job append mine to LOG.md then append mine to OLD.md");
  const { id } = await harness.jobOf(issue);
  const first = await untilJob(harness, id, "green", (one) => one.status === "verified");
  const theirs = github.pushCommit(
    DEMO,
    "main",
    { "LOG.md": "# Theirs\n", "OLD.md": null, "THEIRS.md": "theirs\n" },
    "ada",
  );
  const resolved = await untilJob(
    harness,
    id,
    "resolved",
    (one) => one.round === 2 && one.status === "verified" && !one.catch_up.conflicts,
  );
  expect(resolved).toMatchObject({
    attempt: 1,
    catch_up: { failures: 0 },
    result: { changed_files: ["LOG.md", "OLD.md"] },
  });
  expect(resolved.result?.body).toContain("` OLD.md ` conflicted, and is now as the merge left it.");
  const merges = github.log(DEMO, first.branch).filter(({ parents }) => parents.length === 2);
  expect(merges.map(({ parents }) => parents[1])).toEqual([theirs]);
  github.review(DEMO, first.pull_request?.number ?? 0, { state: "APPROVED", by: "ada" });
  await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  const text = github.readFile(DEMO, "main", "LOG.md") ?? "";
  expect(text.split("\n")).toEqual(expect.arrayContaining(["# Theirs", "mine"]));
  expect(text).not.toMatch(/<<<<<<<|>>>>>>>/);
  expect(github.readFile(DEMO, "main", "OLD.md")).toContain("mine");
  expect(github.readFile(DEMO, "main", "THEIRS.md")).toBe("theirs\n");
  await until("the comment to say so", () => /is merged/.test(harness.comment(issue)));
});
