/** A repository whose settings say how many jobs run at once and how many of their pull requests are open. */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { type Job, type JobId, runOf } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";
import { heldRuns } from "./held-runs.ts";

const TASK = (nth: number): string => `/job create FILE-${nth}.md that says hello`;

const waits = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "in line", (one) => one.line !== null);
const runs = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "at work", (one) => one.status === "accepted" && runOf(one) !== null);
const merged = (harness: Harness, id: JobId): Promise<Job> =>
  untilJob(harness, id, "merged", (one) => one.merged_at !== null);

const listed = z.array(z.object({ id: z.string(), waits_in_line: z.object({ position: z.number() }).nullable() }));

async function positions(harness: Harness): Promise<Record<string, number | null>> {
  const answer = await harness.request("/api/jobs");
  const jobs = listed.parse(await answer.json());
  return Object.fromEntries(jobs.map(({ id, waits_in_line }) => [id, waits_in_line?.position ?? null]));
}

const RUNNING_1 = "auto_merge:\n  enabled: true\nlimits:\n  running: 1\n";

describe("more jobs than may run at once", () => {
  it("wait in line, show where they are, and begin one after the other", async () => {
    const held = heldRuns();
    const harness = await startHarness({ settings: RUNNING_1, ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await runs(harness, first.id);

    const issue = harness.ask(TASK(2));
    const second = await harness.jobOf(issue);
    await waits(harness, second.id);
    const last = harness.ask(TASK(3));
    const third = await harness.jobOf(last);
    await waits(harness, third.id);
    await until("its own comment", () => harness.comment(last).includes("It waits in line as number 2,"));
    const said = await until("the comment to say so", () => /Waiting in line.*/s.exec(harness.comment(issue))?.[0]);
    expect(said).toContain("It waits in line as number 1, since at most 1 job may run at once (`limits.running`).");
    expect(await positions(harness)).toEqual({ [first.id]: null, [second.id]: 1, [third.id]: 2 });
    expect(harness.github.branches(DEMO)[second.branch]).toBeUndefined();

    held.letGo(first);
    await runs(harness, second.id);
    expect(await positions(harness)).toMatchObject({ [third.id]: 1 });
    await until("the comment to follow", () => harness.comment(last).includes("It waits in line as number 1,"));
    held.letAllGo();
    for (const { id } of [first, second, third]) await merged(harness, id);
    expect(held.begun).toEqual([first.branch, second.branch, third.branch]);
    expect(held.most()).toBe(1);
  });

  it("are not lost where the limit was not known when they were asked for", async () => {
    const held = heldRuns();
    const harness = await startHarness({ settings: RUNNING_1, ...held.options });
    const issues = [1, 2, 3].map((nth) => harness.ask(TASK(nth)));
    const jobs = await Promise.all(issues.map((issue) => harness.jobOf(issue)));
    held.letAllGo();
    for (const { id } of jobs) await merged(harness, id);
    expect(held.most()).toBe(1);
  });

  it("begin when the settings are changed", async () => {
    const held = heldRuns();
    const harness = await startHarness({ settings: RUNNING_1, ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await runs(harness, first.id);
    const second = await harness.jobOf(harness.ask(TASK(2)));
    await waits(harness, second.id);
    harness.github.pushCommit(DEMO, "main", { ".github/journeyman.yml": "auto_merge:\n  enabled: true\n" }, "ada");
    await runs(harness, second.id);
    held.letAllGo();
    await merged(harness, second.id);
  });

  it("are told so where their caller waits for the branch, and nothing is left behind", async () => {
    const held = heldRuns();
    const harness = await startHarness({ settings: RUNNING_1, ...held.options });
    const first = await harness.jobOf(harness.ask(TASK(1)));
    await runs(harness, first.id);
    const answer = await harness.request("/api/create-job", {
      method: "POST",
      body: { job: "create TWO.md that says 2" },
    });
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("60");
    expect(await answer.json()).toEqual({
      code: "rate_limited",
      error: `In ${DEMO} at most 1 job may run at once (\`limits.running\`); ask again when one is over.`,
    });
    expect(await positions(harness)).toEqual({ [first.id]: null });
    held.letAllGo();
    await merged(harness, first.id);
  });
});

it("more jobs than may have an open pull request wait until one is closed", async () => {
  const harness = await startHarness({ settings: "limits:\n  open_pull_requests: 1\n" });
  const first = await harness.jobOf(harness.ask(TASK(1)));
  await untilJob(harness, first.id, "left to a person", (one) => one.status === "verified");
  const second = await harness.jobOf(harness.ask(TASK(2)));
  await waits(harness, second.id);
  const [pull] = harness.github.pulls(DEMO);
  harness.github.comment(DEMO, pull?.number ?? 0, { body: "/job append bye to FILE-1.md", by: "ada" });
  await untilJob(harness, first.id, "through its second round", (one) => one.round === 2 && one.status === "verified");
  expect((await harness.job(second.id)).line).not.toBeNull();
  harness.github.closePullRequest(DEMO, pull?.number ?? 0, "ada");
  await untilJob(harness, second.id, "left to a person", (one) => one.status === "verified");
});
