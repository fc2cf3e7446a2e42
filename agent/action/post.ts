/**
 * What always follows the step: ends what is left of the containers, takes the checkout back, hands the result to the App
 * and pushes the work, all within four minutes. Believes what was pushed before and what `main` saved before the agent
 * began; the agent's files are data.
 */
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { readable } from "./agent-files.ts";
import { collect } from "./collect.ts";
import { endCommands, runCommand } from "./command.ts";
import { deliverWork } from "./deliver-work.ts";
import { clearAway } from "./fence.ts";
import { Output } from "./output.ts";
import { type Parts, partsOf } from "./parts.ts";
import { type ActionSettings, readActionSettings, secretInputs } from "./settings.ts";
import { removeRepositories } from "./stage.ts";
import { loadState, type State } from "./state.ts";
import { asCode, summaryOf } from "./summary.ts";

// First of all: commands count again in this stage, and nothing of the agent's may be one.
const output = new Output(
  (text) => void process.stdout.write(text),
  () => randomBytes(16).toString("hex"),
  secretInputs(process.env),
);

/** A run that was cancelled is killed after five minutes. */
const STAGE_LIMIT_MS = 230_000;
/** A call that begins at the very end still gets so long. */
const LEAST_MS = 2_000;
const ends = Date.now() + STAGE_LIMIT_MS;
const within = (ms: number): number => Math.max(LEAST_MS, Math.min(ms, ends - Date.now()));

const MODE_LIMIT_MS = 30_000;
const MOVE_LIMIT_MS = 30_000;

/** The checkout is this user's again, whatever the agent did to it. */
async function takeBack({ git, ownership }: Parts): Promise<boolean> {
  const { workTree, environment } = git.repository;
  const why = await ownership.take();
  await runCommand("chmod", ["-R", "u+rwX", workTree], { env: environment, limitMs: within(MODE_LIMIT_MS) });
  if (why === null) return true;
  output.show(`The owner of the checkout could not be changed: ${why}`);
  output.annotate(
    "error",
    "The agent's files could not be taken back: remove the workspace before another job uses it.",
  );
  return false;
}

async function finish(settings: ActionSettings, parts: Parts, state: State): Promise<number> {
  const { git } = parts;
  const work = await collect(git, settings, state);
  const outcome = await deliverWork({ git, settings, head: state.head, output }, work);
  const { annotation, detail, refusal } = outcome;
  if (work.putBack.length > 0)
    output.show(["Put back, a job may not change these:", ...work.putBack.map(named)].join("\n"));
  if (detail !== null) output.show(detail);
  if (annotation !== null) output.annotate(annotation.level, annotation.sentence);
  const notes = detail === null || refusal !== null ? [] : [asCode(detail)];
  summarise(settings, summaryOf({ result: readable(work.result), putBack: work.putBack, notes, refusal }));
  return outcome.pushed ? 0 : 1;
}

const named = (path: string): string => `  ${JSON.stringify(path)}`;

function summarise({ summaryPath }: ActionSettings, text: string): void {
  if (summaryPath !== null) appendFileSync(summaryPath, text);
}

/** So that later steps and the next job find a repository that nobody but this step has written to. */
async function leavePristine({ git }: Parts): Promise<void> {
  const { folder, workTree, environment } = git.repository;
  await runCommand("mv", ["-T", folder, join(workTree, ".git")], { env: environment, limitMs: within(MOVE_LIMIT_MS) });
}

async function post(): Promise<number> {
  const read = readActionSettings(process.env);
  if (!read.ok) {
    output.show(`There is nothing to push: ${read.reason}.`);
    return 0;
  }
  const { settings } = read;
  const parts = partsOf(settings, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, within });
  await clearAway(parts.docker, parts.names);
  const ours = await takeBack(parts);
  const state = loadState(settings.folder);
  try {
    // What cannot be read would be taken for deleted.
    if (!ours) return 1;
    if (state !== null) return await finish(settings, parts, state);
    output.show("Nothing was prepared, so there is nothing to push.");
    return 0;
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    output.show(`The work was not pushed: ${words}`);
    output.annotate("error", "The work was not pushed. The log of this step and the run's summary say why.");
    summarise(settings, `The work was not pushed.\n\n${asCode(words)}\n`);
    return 1;
  } finally {
    await removeRepositories(parts.git, within(MODE_LIMIT_MS)).catch(() => {});
    await leavePristine(parts);
  }
}

const code = await post().catch((error: unknown) => {
  output.show(`The work was not pushed: ${error instanceof Error ? error.message : String(error)}`);
  output.annotate("error", "The work was not pushed. The log of this step says why.");
  return 1;
});
endCommands();
process.exit(code);
