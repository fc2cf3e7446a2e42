import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { openStream } from "../contract/event-stream.ts";
import { DEMO } from "../sandbox/environment.ts";
import { API_KEY, type Harness, startHarness, until, untilJob } from "./harness.ts";

const WORKFLOW = ".github/workflows/run-job.yml";

/** A file that the agent's command waits for. */
function gate() {
  const path = join(tmpdir(), `gate-${process.pid}-${Math.random().toString(36).slice(2)}`);
  onTestFinished(() => rm(path, { force: true }));
  return {
    task: `/job run until [ -e ${path} ]; do sleep 0.1; done then create HELLO.md that says hello`,
    open: () => writeFile(path, ""),
  };
}

/** What the steps of the job's run print, without the scripts themselves. */
const stepLog = (harness: Harness): string => {
  const run = harness.github.runs(DEMO).find(({ path, conclusion }) => path === WORKFLOW && conclusion !== "skipped");
  const text = (run?.jobs ?? []).map(({ log }) => log.replaceAll(/^\S+ /gm, "")).join("\n");
  return text.replaceAll(/^##\[group\][\s\S]*?^##\[endgroup\]$/gm, "");
};
const commits = (harness: Harness, job: Job): string[] =>
  harness.github
    .log(DEMO, `refs/pull/${job.pull_request?.number}/head`)
    .map(({ message }) => message.split("\n")[0] ?? "");
const merged = (harness: Harness, id: Job["id"]) => untilJob(harness, id, "merged", (one) => one.merged_at !== null);

async function expectMerged(harness: Harness, id: Job["id"]): Promise<Job> {
  const job = await merged(harness, id);
  expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toBe("hello\n");
  expect(harness.github.readFile(DEMO, "main", `.jobs/${id}/job.md`)).toBeUndefined();
  expect(stepLog(harness)).not.toMatch(/ghs_|ACTIONS_ID_TOKEN_REQUEST_TOKEN=|eyJ/);
  return job;
}

it("the agent's lines are followed while it works, and its work is pushed with the App's token", async () => {
  const harness = await startHarness({ realRuns: true });
  const { task, open } = gate();
  const issue = harness.ask(task);
  const { id } = await harness.jobOf(issue);
  const stream = await openStream(`${harness.app.url}/api/jobs/${id}/logs`, { "x-api-key": API_KEY });
  onTestFinished(() => stream.close());
  const lines = () => stream.events.filter(({ event }) => event === "log").map(({ data }) => String(data.text));
  await until("a line of the agent that waits", () => lines().some((text) => text.includes("until [ -e")));
  expect((await harness.job(id)).status).toBe("accepted");
  expect(lines()[0]).toMatch(/^Job \w{8}, round 1, attempt 1/);
  await open();
  const job = await expectMerged(harness, id);
  await until("the stream's end", () => stream.ended());
  expect(lines().filter((text) => text.startsWith("Ended: done."))).toHaveLength(1);
  expect(new Set(lines()).size).toBe(lines().length);
  const [work, brief] = commits(harness, job);
  expect([work, brief]).toEqual([job.result?.title, expect.stringMatching(/^Run job /)]);
  expect(stepLog(harness)).not.toContain("own token");
  expect(harness.comment(issue)).not.toContain("older version");
});

it("an App that is down when the agent ends gets the work with the workflow's own token, and merges it", async () => {
  const harness = await startHarness({ realRuns: true });
  const { task, open } = gate();
  const { id } = await harness.jobOf(harness.ask(task));
  await until("the agent to wait", () => /^agent \| turn \d+: \$ until/m.test(stepLog(harness)));
  await harness.app.stop();
  await open();
  await until("the run's end", () =>
    harness.github.runs(DEMO).some(({ path, conclusion }) => path === WORKFLOW && conclusion === "success"),
  );
  expect(stepLog(harness)).toMatch(/own token because \S+ cannot be reached: /);
  expect(stepLog(harness)).toContain("The App did not receive the whole log");
  await harness.restart();
  const job = await expectMerged(harness, id);
  expect(commits(harness, job)).toHaveLength(4);
});

const OLD_COPY = join(import.meta.dirname, "..", "fixtures", "run-job-0.1.yml");

it("an old copy of run-job.yml goes on working, and the comment says once which lines replace it", async () => {
  const harness = await startHarness({ realRuns: true, files: { [WORKFLOW]: await readFile(OLD_COPY, "utf8") } });
  const issue = harness.ask("/job create HELLO.md that says hello");
  const { id } = await harness.jobOf(issue);
  const job = await expectMerged(harness, id);
  expect(commits(harness, job).slice(0, 2)).toEqual([
    expect.stringMatching(/^Job \w{8}: /),
    expect.stringMatching(/^Run job /),
  ]);
  const said = await until("the comment's last words", () =>
    harness.comment(issue).includes("is outdated") ? harness.comment(issue) : null,
  );
  expect(said).toContain(await readFile(join(import.meta.dirname, "..", "..", WORKFLOW), "utf8"));
  expect(said.split("is outdated")).toHaveLength(2);
});

it("a run whose token is meant for another address is refused, and its work merged all the same", async () => {
  const text = await readFile(OLD_COPY, "utf8");
  const foreign = text
    .replace('.app_url ?? ""', '.app_url.replace("127.0.0.1", "localhost")')
    .replace("word(brief.app_url)", 'word(brief.app_url.replace("127.0.0.1", "localhost"))');
  const harness = await startHarness({ realRuns: true, files: { [WORKFLOW]: foreign } });
  const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
  const job = await expectMerged(harness, id);
  expect(stepLog(harness)).toMatch(
    /courier \| The App did not receive the whole log: http:\/\/localhost:\d+ answers 401/,
  );
  expect(stepLog(harness)).toMatch(/own token, since http:\/\/localhost:\d+ answers 401/);
  expect(commits(harness, job)).toHaveLength(4);
});

it("a server without an address that runners reach leaves all as it was", async () => {
  const harness = await startHarness({ realRuns: true }, { PUBLIC_URL: "" });
  const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
  await expectMerged(harness, id);
  expect(stepLog(harness)).toContain("the job's brief names no App");
});
