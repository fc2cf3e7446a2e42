/**
 * Main stage of the step: checks out the job, starts agent and gateway, shows and uploads the agent's progress, and
 * ends within seven seconds of a cancel. The `post` stage always follows and does the push.
 */
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { sentence } from "./cache.ts";
import { runContainers } from "./containers.ts";
import { Output } from "./output.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { followAgent } from "./progress.ts";
import { appSettingsOf } from "./report/app-settings.ts";
import {
  type ActionSettings,
  type ReadActionSettings,
  readActionSettings,
  readFillSettings,
  secretInputs,
} from "./settings.ts";
import { loadState, saveState } from "./state.ts";
import { createStepContext, type StepContext } from "./step-context.ts";
import { asCode } from "./summary.ts";

export interface MainPorts {
  readonly environment: NodeJS.ProcessEnv;
  /** Standard output, which the runner reads. */
  readonly write: (text: string) => void;
  /** Aborted when the runner ends the step. */
  readonly cancelled: AbortSignal;
}

const CANCELLED = "The run was cancelled before the agent began.";

const nothingRun = (error: unknown): string =>
  `The agent was not started: ${error instanceof Error ? error.message : String(error)}.`;

/** The reason may hold words of git or docker, so it goes to log and summary and not into an annotation. */
function refuse(output: Output, reason: string, settings: ActionSettings | null): 1 {
  output.show(reason);
  output.annotate("error", "The agent was not started. See the log of this step and the run's summary.");
  if (settings?.summaryPath) appendFileSync(settings.summaryPath, `The agent was not started.\n\n${asCode(reason)}\n`);
  return 1;
}

/** After a cancel the process must end within seconds, whatever it is doing. */
const untilCancelled = <T>(work: Promise<T>, cancelled: AbortSignal): Promise<T | "cancelled"> =>
  Promise.race([
    work,
    new Promise<"cancelled">((resolve) => {
      if (cancelled.aborted) resolve("cancelled");
      cancelled.addEventListener("abort", () => resolve("cancelled"), { once: true });
    }),
  ]);

interface Working {
  readonly output: Output;
  readonly cancelled: AbortSignal;
}

async function work(
  { output, cancelled }: Working,
  settings: ActionSettings,
  parts: StepContext,
  { brief, networks, gateway, place, state }: Prepared,
): Promise<number> {
  const { jobId, identity } = settings;
  const app = appSettingsOf(brief.app_url, jobId, identity);
  const show = (text: string): void => output.show(text);
  const ended = await runContainers({
    ...{ ...parts, settings, brief, networks, gateway, place, show, cancelled },
    async follow(input) {
      const why = await followAgent({ input, show, app, cancelled });
      if (why !== null) show(`The App did not receive the whole log: ${why}.`);
    },
  });
  if (ended.failure !== null) {
    output.show(ended.failure);
    saveState(settings.folder, {
      ...state,
      failure: ended.failure,
      image_problem: ended.image_missing ? "missing" : null,
    });
  }
  return ended.code === 0 ? 0 : 1;
}

const createContext = (settings: ActionSettings): StepContext =>
  createStepContext(settings, {
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    // No limit here: the agent keeps the job's own limit, and a cancel ends everything.
    within: (ms) => ms,
  });

/** A run on the default branch, which has no job: fills the repository's cache. */
async function runFill(read: ReadActionSettings, output: Output, cancelled: AbortSignal): Promise<number> {
  const show = (text: string): void => output.show(text);
  // Jobs do not need it.
  const { fillCache } = await import("./fill-cache.ts");
  const filling = read.ok
    ? fillCache({ ...createContext(read.settings), settings: read.settings, show })
    : Promise.resolve({ ok: false, words: `The cache was not filled: ${read.reason}.` });
  const ended = await untilCancelled(
    filling.catch((error: unknown) => ({ ok: false, words: `The cache was not filled: ${sentence(error)}.` })),
    cancelled,
  );
  const { ok, words } = ended === "cancelled" ? { ok: false, words: "The run was cancelled." } : ended;
  show(words);
  const summary = read.ok ? read.settings.summaryPath : null;
  if (summary !== null) appendFileSync(summary, `${asCode(words)}\n`);
  if (!ok) output.annotate("error", "The cache was not filled. See the log of this step and the run's summary.");
  return ok ? 0 : 1;
}

async function main({ environment, cancelled }: MainPorts, output: Output): Promise<number> {
  const fill = readFillSettings(environment);
  if (fill !== null) return runFill(fill, output, cancelled);
  const read = readActionSettings(environment);
  if (!read.ok) return refuse(output, `The agent was not started: ${read.reason}.`, null);
  const { settings } = read;
  const parts = createContext(settings);
  const preparing = prepare({
    ...{ ...parts, settings, show: (text) => output.show(text), mask: (secret) => output.mask(secret) },
  });
  const prepared = await untilCancelled(
    preparing.catch((error) => ({ ok: false as const, reason: nothingRun(error) })),
    cancelled,
  );
  if (prepared !== "cancelled" && prepared.ok) return work({ output, cancelled }, settings, parts, prepared);
  const failure = prepared === "cancelled" ? CANCELLED : prepared.reason;
  const state = loadState(settings.folder);
  if (state !== null) saveState(settings.folder, { ...state, failure });
  return refuse(output, failure, settings);
}

/** Answers the exit code. What was started may still be running. */
export async function runMain(ports: MainPorts): Promise<number> {
  // Comes first: from here on, no printed line is a command.
  const output = new Output(ports.write, () => randomBytes(16).toString("hex"), secretInputs(ports.environment));
  return main(ports, output).catch((error: unknown) => refuse(output, nothingRun(error), null));
}
