/**
 * Plays a job's run that reports to the App as `run-report.ts` says and always does the same work, to test what the App
 * does with reports.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { AppClient } from "../../agent/action/report/app-client.ts";
import { handIn } from "../../agent/action/report/hand-in.ts";
import { CONFIG_FILE, jobFolder, RESULT_FILE, TASK_FILE } from "../../src/contracts/brief.ts";
import type { JobInput, PlayJob } from "../sandbox/actions/job-input.ts";
import type { SandboxGitHub } from "../sandbox/github/sandbox-github.ts";
import { jobOf, scriptedRuns, withApp } from "./scripted-runs.ts";

/** Told by the first word of the task: how the work reaches the branch. */
export type Ending = "pushed" | "fallback" | "lost";

const RESULT = {
  version: 1,
  outcome: "done",
  title: "Say hello",
  body: "I wrote it.",
  model: "m",
  usage: {},
  cost_cents: 1,
};
const LIMIT_MS = 30_000;
const AGAIN_MS = 25;

const line = (seq: number, text: string) => ({ seq, at: new Date().toISOString(), level: "info", text });

/** Waits for `gate` before it hands in. */
export const reportingRuns =
  (gate: Promise<void>) =>
  (github: SandboxGitHub): PlayJob => {
    const others = scriptedRuns(github);
    return async (input) => {
      if (!input.subject.path.endsWith("/run-job.yml")) return others(input);
      await report(github, input, gate);
      return { conclusion: "success", outputs: {} };
    };
  };

async function report(github: SandboxGitHub, input: JobInput, gate: Promise<void>): Promise<void> {
  const { trigger } = input.subject;
  const at = [`${trigger.repository.owner}/${trigger.repository.name}`, trigger.headBranch] as const;
  const files = github.tree(at[0], trigger.sha);
  const own = `${jobFolder(jobOf(input))}/`;
  const log = [line(1, "I begin."), line(2, "I work.")];
  const taken = await withApp(input, files[`${own}${CONFIG_FILE}`], async (app) => {
    await begin(app, log);
    await gate;
    const whole = [...log, line(3, "I am done.")].map((one) => JSON.stringify(one)).join("\n");
    return handIn({ result: RESULT, log: whole, changed: ["HELLO.md"] }, { app, pause: async () => {} });
  });
  if (taken?.ok !== true) throw new Error(taken?.reason ?? "the brief names no App");
  const [ending] = (files[`${own}${TASK_FILE}`] ?? "").split(/\s/);
  const message = `Job ${jobOf(input)}: Say hello`;
  const work = { "HELLO.md": "hello\n" };
  if (ending === "fallback")
    github.pushByRun(...at, { ...work, [`${own}${RESULT_FILE}`]: JSON.stringify(RESULT) }, message);
  if (ending !== "pushed") return;
  const folder = Object.keys(files).filter((path) => path.startsWith(own));
  const all = { ...work, ...Object.fromEntries(folder.map((path) => [path, null])) };
  github.pushCommit(...at, all, `${github.appSlug}[bot]`, message);
}

/** The App may learn of the run from its report first. */
async function begin(app: AppClient, lines: readonly object[]): Promise<void> {
  const over = AbortSignal.timeout(LIMIT_MS);
  for (;;) {
    const answer = await app.tell("log", { lines }, over);
    if (answer.kind === "done") return;
    if (answer.kind === "refused") throw new Error(answer.reason);
    await wait(AGAIN_MS, undefined, { signal: over });
  }
}
