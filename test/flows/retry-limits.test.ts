/** A job that a limit has ended goes on with more, on the branch that holds what it had done. */
import { expect, it } from "vitest";
import { ADMIN, DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

it("goes on where a limit ended it, once an admin allows more", async () => {
  const harness = await startHarness({ settings: "auto_merge:\n  enabled: true\nlimits:\n  turns: 2\n" });
  const issue = harness.ask("/job create HELLO.md that says hello then append bye to HELLO.md");
  const { id, branch } = await harness.jobOf(issue);
  const failed = await untilJob(harness, id, "failed", (one) => one.status === "failed");
  expect(failed.failure).toBe("Stopped at the limit of 2 turns.");
  expect(harness.github.readFile(DEMO, branch, "HELLO.md")).toMatch(/^hello\n/);
  await until("the comment to name the way on", () => harness.comment(issue).includes("/job retry --limit 10.00"));

  harness.github.comment(DEMO, issue, { body: "/job retry --limit 10.00 --turns 20", by: "ada" });
  const replies = () => harness.github.comments(DEMO, issue).map(({ body }) => body);
  await until("a refusal", () => replies().some((body) => body.includes("only somebody who administers it")));
  expect((await harness.job(id)).round).toBe(1);

  harness.github.comment(DEMO, issue, { body: "/job retry --limit 10.00 --turns 20", by: ADMIN });
  const next = await untilJob(harness, id, "in its second round", (one) => one.round === 2);
  expect(next.raised).toEqual({ cost_cents: 1_000, turns: 20 });
  await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello\n");
});
