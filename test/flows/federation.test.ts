import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, until, untilJob } from "./harness.ts";

it("a repository without any secret: its run signs in to the provider as itself, and its job merges", async () => {
  const harness = await startHarness({ realRuns: true, keyless: true });
  expect(harness.github.secrets(DEMO)).toEqual({});
  const issue = harness.ask("/job create HELLO.md that says hello\nrun env > env.txt");
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  await harness.sandbox.idle();
  expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
  expect(harness.github.readFile(DEMO, "main", "env.txt")).not.toMatch(/ANTHROPIC|ACTIONS_/);
  const { model } = harness.sandbox;
  expect(model.federation.exchanges.map(({ status }) => status)).toEqual([200]);
  const keys = model.requests().map(({ headers }) => headers.authorization ?? headers["x-api-key"] ?? "none");
  expect(keys.length).toBeGreaterThan(1);
  expect(keys.every((key) => key.startsWith("Bearer sk-ant-oat01-"))).toBe(true);
});

it("where the provider's rule is for another repository, the comment says what to compare", async () => {
  const harness = await startHarness({ realRuns: true, keyless: { claims: { repository: "octo/other" } } });
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "failed", (one) => one.status === "failed");
  await until("the comment to say why", () => harness.comment(issue).includes("refused this run's identity"));
  const comment = harness.comment(issue);
  expect(comment).toContain("fdrl_demo");
  expect(comment).toContain(`ref:refs/heads/job/${id}`);
  expect(harness.sandbox.model.federation.exchanges.map(({ status }) => status)).toEqual([401]);
});
