/**
 * From what the agent left to a tree that may be pushed: everything is staged in this step's own repository, what a job
 * may not change is put back, and what cannot be carried is refused in words.
 */
import { finalResult, readAgentFiles } from "./agent-files.ts";
import { type ActionBrief, readPushedBrief } from "./brief.ts";
import { changedPaths, putBack, putBackForbidden, referenceTree } from "./forbidden.ts";
import { type Git, GitFailure } from "./git.ts";
import { lfsRefusal, rawLfsFiles, storeInLfs } from "./lfs.ts";
import { agentMerged, forgetMerge, unresolved } from "./merge.ts";
import type { ActionSettings } from "./settings.ts";
import { removeRepositories, stageAll } from "./stage.ts";
import type { State } from "./state.ts";
import { addedSubmodules, changedSubmodules, submoduleRefusal } from "./submodules.ts";
import { asWord } from "./summary.ts";
import { jobFolder, LOG_FILE, RESULT_FILE } from "../../src/wire/brief.ts";

const FIND_LIMIT_MS = 60_000;
const MOST_NAMED = 20;

export interface Collected {
  readonly brief: ActionBrief;
  readonly result: Readonly<Record<string, unknown>>;
  readonly log: string;
  readonly putBack: readonly string[];
  /** Against the base; null: that commit is not here. */
  readonly changed: readonly string[] | null;
  /** Merged into the work; null: nothing was. */
  readonly merged: string | null;
  /** With the job's folder, for a push with the workflow's own token. */
  readonly whole: string;
  /** Without it. */
  readonly clean: string;
}

interface Ground {
  readonly git: Git;
  readonly settings: ActionSettings;
  readonly state: State;
  readonly brief: ActionBrief;
}

export async function collect(git: Git, settings: ActionSettings, state: State): Promise<Collected> {
  const { jobId, githubToken: token } = settings;
  const read = await readPushedBrief(git, { sha: state.head, jobId, token });
  if (!read.ok) throw new GitFailure(read.reason);
  const { brief } = read;
  const ground: Ground = { git, settings, state, brief };
  const files = readAgentFiles(settings.workspace, jobId);
  const merged = await mergedBase(ground);
  const submodules = await changedSubmodules(git);
  await removeRepositories(git, FIND_LIMIT_MS);

  const leftOut = await stageAll(git);
  const reference = await referenceTree(git, { head: state.head, merged });
  const put_back = await putBackForbidden(git, reference, brief.forbidden_paths);
  const refusals = [
    submoduleRefusal(submodules, await addedSubmodules(git)),
    await keepLfs(ground, reference),
    conflictRefusal(await unresolved(git, state.conflicts)),
  ].filter((sentence) => sentence !== null);
  const notes = leftOut.length === 0 ? [] : [`Left out, since git cannot take it: ${namesOf(leftOut)}.`];
  const result = finalResult(files, { failure: state.failure, refusals, notes, put_back });

  const compared = comparedWith(ground, merged !== null);
  const changed = compared === null ? null : await changedPaths(git, compared, [".", ":(exclude).jobs"]);
  const own = { [RESULT_FILE]: `${JSON.stringify(result, null, 2)}\n`, [LOG_FILE]: files.log };
  const whole = await treeWith(git, own, jobId);
  const clean = await treeWithout(git, jobId);
  forgetMerge(git);
  return { brief, result, log: files.log, putBack: put_back, changed, merged: merged?.base ?? null, whole, clean };
}

/** The base that is merged into the work and was not in the branch. */
async function mergedBase({ git, state, brief }: Ground): Promise<{ base: string; merge_base: string } | null> {
  const base = brief.base.sha;
  const { merge_base } = state;
  if (!state.base_known || merge_base === null || merge_base === base) return null;
  return state.merged || (await agentMerged(git, base)) ? { base, merge_base } : null;
}

/** What the work changes is seen against the base that it holds. */
function comparedWith({ state, brief }: Ground, merged: boolean): string | null {
  if (!state.base_known) return null;
  return merged ? brief.base.sha : (state.merge_base ?? brief.base.sha);
}

async function keepLfs({ git, settings }: Ground, reference: string): Promise<string | null> {
  const raw = await rawLfsFiles(git, reference);
  if (raw.length === 0) return null;
  const { githubToken: token, serverUrl, repository } = settings;
  const why = await storeInLfs(git, raw, { token, url: `${serverUrl}/${repository}.git` });
  if (why === null) return null;
  await putBack(git, reference, raw);
  return lfsRefusal(raw, why);
}

const namesOf = (paths: readonly string[]): string =>
  `${paths.slice(0, MOST_NAMED).map(asWord).join(", ")}${paths.length > MOST_NAMED ? ` and ${paths.length - MOST_NAMED} more` : ""}`;

const conflictRefusal = (paths: readonly string[]): string | null =>
  paths.length === 0 ? null : `Conflicts with the base branch are left in ${namesOf(paths)}.`;

async function treeWith(git: Git, files: Readonly<Record<string, string>>, jobId: string): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    if (text === "") continue;
    const id = await git.text(["hash-object", "-w", "--stdin", "--no-filters"], { input: text });
    await git.run(["update-index", "--add", "--cacheinfo", `100644,${id},${jobFolder(jobId)}/${name}`]);
  }
  return git.text(["write-tree", "--missing-ok"]);
}

async function treeWithout(git: Git, jobId: string): Promise<string> {
  const { length } = await git.run(["ls-files", "-z", "--", jobFolder(jobId)]);
  if (length > 0) await git.run(["rm", "-r", "-f", "--quiet", "--cached", "--sparse", "--", jobFolder(jobId)]);
  return git.text(["write-tree", "--missing-ok"]);
}
