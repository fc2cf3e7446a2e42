/**
 * Builds the tree to push from the agent's files: stages everything in this step's own repository, restores paths that
 * a job may not change, and rejects in words what cannot be pushed.
 */
import { join } from "node:path";
import { jobFolder, LOG_FILE, RESULT_FILE } from "../../src/contracts/brief.ts";
import type { Decision } from "../../src/contracts/conflicts.ts";
import { finalResult, readAgentFiles } from "./agent-files.ts";
import { type ActionBrief, readPushedBrief } from "./brief.ts";
import { decisionsIn, settle } from "./conflicts.ts";
import { changedPaths, putBack, putBackForbidden, referenceTree } from "./forbidden-paths.ts";
import { type Git, GitFailure } from "./git.ts";
import { lfsRefusal, rawLfsFiles, storeInLfs } from "./lfs.ts";
import { agentMerged, forgetMerge, unresolved } from "./merge.ts";
import { removeRepositories, removeSpecialFiles, removeTooLarge } from "./remove-unsafe-files.ts";
import type { ActionSettings } from "./settings.ts";
import { stageFiles } from "./stage-files.ts";
import type { State } from "./state.ts";
import { addedSubmodules, changedSubmodules, submoduleRefusal } from "./submodules.ts";
import { asWord } from "./summary.ts";

const MAX_NAMED = 20;

export interface Collected {
  readonly brief: ActionBrief;
  readonly result: Readonly<Record<string, unknown>>;
  readonly log: string;
  readonly putBack: readonly string[];
  /** Paths that differ from the base; null when the base commit was not fetched. */
  readonly changed: readonly string[] | null;
  /** The merged base commit; null when nothing was merged. */
  readonly merged: string | null;
  /** Includes the job's folder; pushed when the workflow's own token is used. */
  readonly whole: string;
  /** Excludes the job's folder. */
  readonly clean: string;
}

export interface BaseState {
  readonly git: Git;
  readonly settings: ActionSettings;
  readonly state: State;
  readonly brief: ActionBrief;
}

export async function baseStateOf(git: Git, settings: ActionSettings, state: State): Promise<BaseState> {
  const { jobId, githubToken: token } = settings;
  const read = await readPushedBrief(git, { sha: state.head, jobId, token });
  if (!read.ok) throw new GitFailure(read.reason);
  return { git, settings, state, brief: read.brief };
}

export async function collect(baseState: BaseState): Promise<Collected> {
  const { git, settings, state, brief } = baseState;
  const { jobId } = settings;
  const special = await removeSpecialFiles(git);
  const files = readAgentFiles(settings.workspace, jobId);
  const merged = await mergedBase(baseState);
  const submodules = await changedSubmodules(git);
  await removeRepositories(git);
  const tooLarge = await removeTooLarge(git);

  const leftOut = [...special, ...(await stageFiles(git))];
  const reference = await referenceTree(git, { head: state.head, merged });
  await putBack(git, reference, tooLarge);
  const put_back = await putBackForbidden(git, reference, brief.forbidden_paths);
  const settled = await settle(git, state.unmarked, decisionsIn(files.result));
  const conflicts = [...new Set([...(await unresolved(git, state.conflicts)), ...settled.open])];
  // a commit with both parents would hide the conflict from GitHub, and from the next attempt
  if (conflicts.length > 0) return collectFailure(baseState, conflictRefusal(conflicts));
  const refusals = [
    submoduleRefusal(submodules, await addedSubmodules(git)),
    await keepLfs(baseState, reference),
  ].filter((sentence) => sentence !== null);
  const notes = [
    ...settled.decided.map(decisionNote),
    ...(leftOut.length === 0 ? [] : [`Left out, because git cannot add it: ${namesOf(leftOut)}.`]),
    ...(tooLarge.length === 0 ? [] : [`Left out, because GitHub accepts no file of that size: ${namesOf(tooLarge)}.`]),
  ];
  const result = finalResult(files, {
    ...{ failure: state.failure, image_problem: state.image_problem },
    ...{ refusals, notes, put_back, comments: commentsOf(brief) },
  });

  const compared = comparedWith(baseState, merged !== null);
  const changed = compared === null ? null : await changedPaths(git, compared, [".", ":(exclude).jobs"]);
  const trees = await treesOf(git, jobId, result, files.log);
  forgetMerge(git);
  return { brief, result, log: files.log, putBack: put_back, changed, merged: merged?.base ?? null, ...trees };
}

/**
 * The result when the work cannot be collected: the branch unchanged, with the reason. Only log and result are taken
 * from the checkout.
 */
export async function collectFailure({ git, settings, state, brief }: BaseState, reason: string): Promise<Collected> {
  const { jobId, workspace } = settings;
  forgetMerge(git);
  const files = readAgentFiles(workspace, jobId);
  const result = finalResult(files, {
    ...{ failure: reason, image_problem: state.image_problem },
    ...{ refusals: [reason], notes: [], put_back: [], comments: commentsOf(brief) },
  });
  // A separate index, since the main one may be damaged.
  const env = { GIT_INDEX_FILE: join(git.repository.folder, "failure-index") };
  await git.run(["read-tree", state.head], { env });
  const trees = await treesOf(git, jobId, result, files.log, env);
  return { brief, result, log: files.log, putBack: [], changed: [], merged: null, ...trees };
}

const commentsOf = ({ reviews }: BaseState["brief"]): number[] =>
  reviews.flatMap(({ comments }) => comments.map(({ id }) => id));

/** The base commit that the work merged and the branch did not have yet. */
async function mergedBase({ git, state, brief }: BaseState): Promise<{ base: string; merge_base: string } | null> {
  const base = brief.base.sha;
  const { merge_base } = state;
  if (!state.base_known || merge_base === null || merge_base === base) return null;
  return state.merged || (await agentMerged(git, base)) ? { base, merge_base } : null;
}

/** The base commit that the work contains, against which its changes are computed. */
function comparedWith({ state, brief }: BaseState, merged: boolean): string | null {
  if (!state.base_known) return null;
  return merged ? brief.base.sha : (state.merge_base ?? brief.base.sha);
}

async function keepLfs({ git, settings }: BaseState, reference: string): Promise<string | null> {
  const raw = await rawLfsFiles(git, reference);
  if (raw.length === 0) return null;
  const { githubToken: token, serverUrl, repository } = settings;
  const why = await storeInLfs(git, raw, { token, url: `${serverUrl}/${repository}.git` });
  if (why === null) return null;
  await putBack(git, reference, raw);
  return lfsRefusal(raw, why);
}

function namesOf(paths: readonly string[]): string {
  // Long names are cut and can then be equal.
  const words = [...new Set(paths.map(asWord))];
  const more = words.length > MAX_NAMED ? ` and ${words.length - MAX_NAMED} more` : "";
  return `${words.slice(0, MAX_NAMED).join(", ")}${more}`;
}

const conflictRefusal = (paths: readonly string[]): string =>
  `Unresolved conflicts with the base branch: ${namesOf(paths)}.`;

const SIDES: Readonly<Record<Decision["keep"], string>> = {
  file: "as the merge left it",
  branch: "as this branch has it",
  base: "as the base branch has it",
};

/** A side that was left out is seen by whoever reads the work. */
const decisionNote = ({ path, keep }: Decision): string => `${asWord(path)} conflicted, and is now ${SIDES[keep]}.`;

/** Writes two trees from the index: with the job's folder and without it. */
async function treesOf(
  git: Git,
  jobId: string,
  result: Collected["result"],
  log: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly whole: string; readonly clean: string }> {
  const folder = jobFolder(jobId);
  for (const [name, input] of [
    [RESULT_FILE, `${JSON.stringify(result, null, 2)}\n`],
    [LOG_FILE, log],
  ] as const) {
    if (input === "") continue;
    const id = await git.text(["hash-object", "-w", "--stdin", "--no-filters"], { input });
    await git.run(["update-index", "--add", "--cacheinfo", `100644,${id},${folder}/${name}`], { env });
  }
  const whole = await git.text(["write-tree", "--missing-ok"], { env });
  await git.run(["rm", "-r", "-f", "--quiet", "--cached", "--sparse", "--", folder], { env });
  return { whole, clean: await git.text(["write-tree", "--missing-ok"], { env }) };
}
