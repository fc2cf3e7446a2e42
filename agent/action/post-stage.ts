/**
 * Post stage of the step, which always runs: ends leftover containers, takes the checkout back, submits the result to
 * the App and pushes the work, all within four minutes. Trusts only what was pushed before and what `main` saved before
 * the agent began.
 */
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { cut } from "../../src/text/text.ts";
import { readable } from "./agent-files.ts";
import { removeCache } from "./cache.ts";
import { fetchJob } from "./checkout.ts";
import { type BaseState, baseStateOf, type Collected, collect, collectFailure } from "./collect-changes.ts";
import type { Git } from "./git.ts";
import { removeLeftovers } from "./network-fence.ts";
import { Output } from "./output.ts";
import { removeOwnImage } from "./own-image.ts";
import { removeRepositories } from "./remove-unsafe-files.ts";
import { runCommand } from "./run-command.ts";
import { type ActionSettings, readActionSettings, readFillSettings, secretInputs } from "./settings.ts";
import { StageClock } from "./stage-clock.ts";
import { loadState, type State } from "./state.ts";
import { createStepContext, type StepContext } from "./step-context.ts";
import { submitWork } from "./submit-work.ts";
import { asCode, summaryOf } from "./summary.ts";

export interface PostPorts {
  readonly environment: NodeJS.ProcessEnv;
  /** Standard output, which the runner reads. */
  readonly write: (text: string) => void;
}

interface Stage {
  readonly output: Output;
  readonly clock: StageClock;
}

/** Milliseconds since the stage began. GitHub kills a cancelled run after five minutes. */
const COLLECTED_MS = 140_000;
/** Leaves time to report a failed push to the App. */
const PUSHED_MS = 200_000;
const CLEARED_MS = 245_000;

const MODE_LIMIT_MS = 30_000;
const MOVE_LIMIT_MS = 30_000;

type Problem = string | null;

/** Cut to one short line: it may hold text that the agent chose. */
const messageOf = (error: unknown): string =>
  cut((error instanceof Error ? error.message : String(error)).replace(/[\p{C}\s]+/gu, " "), 400).replace(/\.$/, "");

/** Makes this user the owner again and restores access rights that the agent removed. */
async function takeBack({ output, clock }: Stage, { git, ownership }: StepContext): Promise<Problem> {
  const { workTree, environment } = git.repository;
  const why = await ownership.take();
  await runCommand("chmod", ["-R", "u+rwX", workTree], { env: environment, limitMs: clock.within(MODE_LIMIT_MS) });
  if (why === null) return null;
  output.show(`The owner of the checkout could not be changed: ${why}`);
  output.annotate(
    "error",
    "This runner could not take ownership of the agent's files: remove the workspace before another job uses it.",
  );
  return `This runner could not take ownership of the agent's files: ${why}.`;
}

/** The collected work, or the reason why there is none. */
async function collected(
  clock: StageClock,
  baseState: BaseState,
  problem: Problem,
): Promise<{ work: Collected; failure: Problem }> {
  let failure = problem;
  try {
    if (failure === null) return { work: await collect(baseState), failure };
  } catch (error) {
    failure = `The work could not be collected: ${messageOf(error)}.`;
  }
  clock.until(PUSHED_MS);
  return { work: await collectFailure(baseState, failure), failure };
}

/**
 * Fetches the job's commit if `main` did not. The ref is the last that a fetch writes: a commit may be there without its
 * files. A report needs no file contents.
 */
async function fetchMissing(git: Git, settings: ActionSettings, { checked_out }: State): Promise<void> {
  const ref = `refs/remotes/origin/${settings.branch}`;
  if (checked_out || (await git.succeeds(["show-ref", "--verify", "--quiet", ref]))) return;
  await fetchJob(git, { ...settings, token: settings.githubToken }, true);
}

const unprepared = (state: State | null): Problem =>
  state === null || state.checked_out ? null : (state.failure ?? "The run ended during the checkout.");

async function finish(
  { output, clock }: Stage,
  settings: ActionSettings,
  { git }: StepContext,
  state: State,
  problem: Problem,
): Promise<number> {
  if (problem !== null) clock.until(PUSHED_MS);
  await fetchMissing(git, settings, state);
  const { work, failure } = await collected(clock, await baseStateOf(git, settings, state), problem);
  clock.until(PUSHED_MS);
  const outcome = await submitWork({ git, settings, head: state.head, output }, work);
  const { annotation, detail, refusal } = outcome;
  if (work.putBack.length > 0)
    output.show(["Restored, because jobs may not change these files:", ...work.putBack.map(named)].join("\n"));
  if (detail !== null) output.show(detail);
  if (annotation !== null) output.annotate(annotation.level, annotation.sentence);
  const notes = detail === null || refusal !== null ? [] : [asCode(detail)];
  summarise(settings, summaryOf({ result: readable(work.result), putBack: work.putBack, notes, refusal }));
  if (failure !== null) {
    output.show(failure);
    output.annotate("error", "The agent's work was not collected. See the log of this step and the run's summary.");
  }
  return outcome.pushed && failure === null ? 0 : 1;
}

const named = (path: string): string => `  ${JSON.stringify(path)}`;

function summarise({ summaryPath }: ActionSettings, text: string): void {
  if (summaryPath !== null) appendFileSync(summaryPath, text);
}

/** Gives later steps and the next job a git directory that only this step has written to. */
async function leavePristine(clock: StageClock, { git }: StepContext): Promise<void> {
  const { folder, workTree, environment } = git.repository;
  await runCommand("mv", ["-T", folder, join(workTree, ".git")], {
    env: environment,
    limitMs: clock.within(MOVE_LIMIT_MS),
  });
}

async function removeAll({ docker, names }: StepContext, state: State | null): Promise<void> {
  await removeLeftovers(docker, names);
  if (state?.own_image) await removeOwnImage(docker, names);
  if (state?.cached) await removeCache(docker, names);
}

const createContext = (clock: StageClock, settings: ActionSettings): StepContext =>
  createStepContext(settings, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, within: clock.within });

/** Of a run that fills the cache. */
async function endFill({ docker, names, ownership }: StepContext): Promise<void> {
  await removeCache(docker, names);
  await removeOwnImage(docker, names);
  await ownership.take();
}

async function post(stage: Stage, environment: NodeJS.ProcessEnv): Promise<number> {
  const { output, clock } = stage;
  const fill = readFillSettings(environment);
  if (fill?.ok) {
    await endFill(createContext(clock, fill.settings));
    return 0;
  }
  const read = readActionSettings(environment);
  if (!read.ok) {
    output.show(`There is nothing to push: ${read.reason}.`);
    return 0;
  }
  const { settings } = read;
  const parts = createContext(clock, settings);
  const state = loadState(settings.folder);
  try {
    const taken = removeAll(parts, state).then(() => takeBack(stage, parts));
    // Files that cannot be read or were never checked out would count as deleted.
    const problem = (await taken.catch((error) => `${messageOf(error)}.`)) ?? unprepared(state);
    if (state !== null) return await finish(stage, settings, parts, state, problem);
    output.show("The main step prepared nothing, so there is nothing to push.");
    return problem === null ? 0 : 1;
  } catch (error) {
    const words = messageOf(error);
    output.show(`The work was not pushed: ${words}`);
    output.annotate("error", "The work was not pushed. See the log of this step and the run's summary.");
    summarise(settings, `The work was not pushed.\n\n${asCode(words)}\n`);
    return 1;
  } finally {
    clock.until(CLEARED_MS);
    await removeRepositories(parts.git).catch(() => {});
    await leavePristine(clock, parts);
  }
}

/** Answers the exit code. What was started may still be running. */
export async function runPost({ environment, write }: PostPorts): Promise<number> {
  // Comes first: the runner obeys commands again in this stage, and the agent's text must not be one.
  const output = new Output(write, () => randomBytes(16).toString("hex"), secretInputs(environment));
  const stage = { output, clock: new StageClock(Date.now, COLLECTED_MS) };
  return post(stage, environment).catch((error: unknown) => {
    output.show(`The work was not pushed: ${messageOf(error)}`);
    output.annotate("error", "The work was not pushed. See the log of this step.");
    return 1;
  });
}
