/**
 * Plays the demo repository's workflows without a program: the agent's own loop works in this process, on files in a
 * folder, and hands in as the run action does; CI is green unless there is a file named BROKEN. For flows that are about
 * the App. What is about git, containers or the run action is played by the sandbox's real runner.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { finalResult, readAgentFiles, readable } from "../../agent/action/agent-files.ts";
import { commitMessage } from "../../agent/action/commit-title.ts";
import { AppClient } from "../../agent/action/report/app-client.ts";
import { appSettingsOf } from "../../agent/action/report/app-settings.ts";
import { type HandInInput, handIn } from "../../agent/action/report/hand-in.ts";
import { Cancellation } from "../../agent/loop/cancellation.ts";
import { runJob } from "../../agent/run.ts";
import { readSettings } from "../../agent/settings.ts";
import { briefSchema, CONFIG_FILE, jobFolder, RESULT_FILE } from "../../src/contracts/brief.ts";
import { MOVED_MEANWHILE } from "../../src/contracts/result.ts";
import { Secret } from "../../src/contracts/secret.ts";
import type { JobInput, PlayJob } from "../sandbox/actions/job-input.ts";
import type { SandboxGitHub } from "../sandbox/github/sandbox-github.ts";
import type { RunConclusion } from "../sandbox/ports.ts";

type Files = Readonly<Record<string, string>>;

export const scriptedRuns =
  (github: SandboxGitHub): PlayJob =>
  async (input) => {
    const { path, trigger } = input.subject;
    const { owner, name } = trigger.repository;
    const files = github.tree(`${owner}/${name}`, trigger.sha);
    if (path.endsWith("/run-job.yml")) return { conclusion: await playAgent(github, input, files), outputs: {} };
    if (files.BROKEN === undefined) return { conclusion: "success", outputs: {} };
    input.subject.backend.appendLog(input.jobId, "##[error]Process completed with exit code 1.\n");
    return { conclusion: "failure", outputs: {} };
  };

async function playAgent(github: SandboxGitHub, input: JobInput, before: Files): Promise<RunConclusion> {
  const { backend } = input.subject;
  const workspace = await mkdtemp(join(tmpdir(), "scripted-run-"));
  try {
    const merged = await mergedBase(github, input, before);
    await layOut(workspace, merged?.files ?? before);
    const code = await runAgent(input, workspace);
    const delivered = await deliver(github, input, { before, workspace, merged });
    if (!delivered) return "failure";
    return input.cancel.aborted ? "cancelled" : code === 0 ? "success" : "failure";
  } catch (error) {
    backend.appendLog(input.jobId, `${error instanceof Error ? error.message : String(error)}\n`);
    return input.cancel.aborted ? "cancelled" : "failure";
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

export const jobOf = ({ subject }: JobInput): string => subject.trigger.headBranch.replace(/^job\//, "");

async function runAgent(input: JobInput, workspace: string): Promise<0 | 1> {
  const { backend, trigger } = input.subject;
  const environment = { ...backend.secrets(trigger.repository), ...backend.variables(trigger.repository) };
  const read = readSettings({ ...environment, PATH: process.env.PATH, JOB_ID: jobOf(input) }, workspace);
  if (!read.ok) throw new Error(read.reason);
  const cancellation = new Cancellation();
  const cancel = () => cancellation.interrupt({ kind: "cancelled", by: "SIGTERM" });
  if (input.cancel.aborted) cancel();
  input.cancel.addEventListener("abort", cancel);
  return runJob(read.settings, {
    cancellation,
    now: () => new Date(),
    pause: (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}),
    print: (row) => backend.appendLog(input.jobId, `${row}\n`),
  }).finally(() => input.cancel.removeEventListener("abort", cancel));
}

interface Merged {
  /** The base commit. */
  readonly sha: string;
  /** What the checkout holds, with markers, and what the base does. */
  readonly files: Files;
  readonly base: Files;
}

interface Work {
  readonly before: Files;
  readonly workspace: string;
  readonly merged: Merged | null;
}

/** The base that the brief asks to merge; null: it does not. */
async function mergedBase(github: SandboxGitHub, input: JobInput, before: Files): Promise<Merged | null> {
  const { owner, name } = input.subject.trigger.repository;
  const config: unknown = JSON.parse(before[`${jobFolder(jobOf(input))}/${CONFIG_FILE}`] ?? "null");
  const { merge_base, base } = briefSchema.parse(config);
  if (merge_base !== true) return null;
  const at = `${owner}/${name}`;
  const files = await github.mergedTree(at, input.subject.trigger.sha, base.sha);
  return { sha: base.sha, files, base: github.tree(at, base.sha) };
}

const MARKER = /^(?:<{7}|>{7}) /m;

/** With the App's token where the App takes the result, else with the run's own, as the run action does. */
async function deliver(github: SandboxGitHub, input: JobInput, { before, workspace, merged }: Work): Promise<boolean> {
  const { owner, name } = input.subject.trigger.repository;
  const job = jobOf(input);
  const own = `${jobFolder(job)}/`;
  const work = await changesOf(before, workspace);
  const marked = merged === null ? [] : Object.keys(work).filter((path) => MARKER.test(work[path] ?? ""));
  const refusals = marked.length === 0 ? [] : [`Unresolved conflicts with the base branch: ${marked.join(", ")}.`];
  const all = refusals.length === 0 ? work : {};
  const since = merged === null || refusals.length > 0 ? all : await changesOf(merged.base, workspace);
  const notOwn = (files: Readonly<Record<string, string | null>>) =>
    Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith(own)));
  const changed = notOwn(all);
  const parent = refusals.length === 0 ? merged?.sha : undefined;
  const left = readAgentFiles(workspace, job);
  const result = finalResult(left, {
    failure: null,
    image_problem: null,
    refusals,
    notes: [],
    put_back: [],
    comments: commentsOf(before[`${own}${CONFIG_FILE}`]),
  });
  const message = commitMessage(job, readable(result));
  const tip = github.branches(`${owner}/${name}`)[input.subject.trigger.headBranch];
  if (tip === undefined) throw new Error("The branch is gone: the work was not pushed.");
  if (merged !== null && tip !== input.subject.trigger.sha) {
    const reason = `The work could not be pushed: the branch ${MOVED_MEANWHILE}.`;
    await told(input, before[`${own}${CONFIG_FILE}`], {
      result: { ...result, outcome: "failed", reason },
      log: left.log,
      changed: [],
    });
    return false;
  }
  const at = [`${owner}/${name}`, input.subject.trigger.headBranch] as const;
  if (
    await told(input, before[`${own}${CONFIG_FILE}`], { result, log: left.log, changed: Object.keys(notOwn(since)) })
  ) {
    const folder = Object.keys(before).filter((path) => path.startsWith(own));
    const files = { ...changed, ...Object.fromEntries(folder.map((path) => [path, null])) };
    github.pushCommit(...at, files, `${github.appSlug}[bot]`, message, parent);
  } else {
    github.pushByRun(...at, { ...all, [`${own}${RESULT_FILE}`]: JSON.stringify(result) }, message, parent);
  }
  return true;
}

/** The ids that the result may answer, as the run action reads them. */
const commentsOf = (config: string | undefined): number[] =>
  briefSchema.parse(JSON.parse(config ?? "null")).reviews.flatMap(({ comments }) => comments.map(({ id }) => id));

async function told(input: JobInput, config: string | undefined, said: HandInInput): Promise<boolean> {
  const taken = await withApp(input, config, (app) => handIn(said, { app, pause: async () => {} }));
  if (taken?.ok === false)
    input.subject.backend.appendLog(input.jobId, `The App did not take the result: ${taken.reason}\n`);
  return taken?.ok === true;
}

/** With the App that the brief names, as the run itself; null where it names none. */
export async function withApp<T>(
  input: JobInput,
  config: string | undefined,
  use: (app: AppClient) => Promise<T>,
): Promise<T | null> {
  const { backend, trigger } = input.subject;
  const { app_url: url } = briefSchema.parse(JSON.parse(config ?? "null"));
  const { ref, sha } = trigger;
  const identity = backend.openIdentity({ runId: input.handle.id, ref, sha, headRef: "", baseRef: "" });
  const app = appSettingsOf(url, jobOf(input), { url: identity.url, bearer: new Secret(identity.token) });
  if (typeof app === "string") return null;
  return use(new AppClient(app, Date.now)).finally(() => backend.closeIdentity(identity.token));
}

async function layOut(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** New and changed files with their text, deleted ones with null. */
async function changesOf(before: Files, folder: string): Promise<Record<string, string | null>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((one) => one.isFile()).map((one) => relative(folder, join(one.parentPath, one.name)));
  const after = await Promise.all(
    paths.map(async (path) => [path, await readFile(join(folder, path), "utf8")] as const),
  );
  const kept = after.filter(([path, text]) => before[path] !== text);
  const gone = Object.keys(before).filter((path) => !paths.includes(path));
  return Object.fromEntries([...kept, ...gone.map((path) => [path, null] as const)]);
}
