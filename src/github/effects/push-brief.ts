/**
 * push-brief: commits the brief to the job's branch, as one push that starts one run (github-facts 2.2). One call if the
 * base and its trees are known, otherwise one more query. Only touches the job's ref.
 */

import { hasPrice } from "../../contracts/models.ts";
import type { Review } from "../../contracts/review.ts";
import { DEFAULT_REPOSITORY_SETTINGS, UNREAD_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import type { Effect } from "../../domain/job/effect.ts";
import { isOnActions, type Job } from "../../domain/job/job.ts";
import { isLimited } from "../../domain/job/line.ts";
import { isOfQueueRound } from "../../domain/job/merge-queue.ts";
import { modelOf } from "../../domain/job/model-selection.ts";
import { wantsSignedCommits } from "../../domain/job/signatures.ts";
import { theirs } from "../../domain/job/target.ts";
import type { ObservedRepository } from "../../domain/repository/repository.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import * as refusals from "../render/refusals.ts";
import { attachmentFiles } from "./attachments.ts";
import type { Pushed } from "./branch-commit.ts";
import { type BranchState, observedOf, readBranchState, type Tip } from "./branch-state.ts";
import { type BriefBaseCommit, type BriefFiles, briefFiles, briefMessage } from "./brief.ts";
import { discussedUntil, readContext, readStateWithComments } from "./brief-context.ts";
import { sealLine } from "./brief-seal.ts";
import { readFailedChecks, readFailedLogs } from "./failed-logs.ts";
import { laterOf } from "./one-call.ts";
import { ownBrief, type TreeOn } from "./own-brief.ts";
import { writeTree } from "./push-by-rest.ts";
import { isPushReady, pushCommit, treeWith } from "./push-commit.ts";
import { readRoundReviews } from "./review-comments.ts";
import { reported, type Task } from "./task.ts";
import { briefOfTheirs, type OfTheirs } from "./their-brief.ts";

type PushBrief = Extract<Effect, { type: "push-brief" }>;

/** Everything that a push needs. */
interface PushBase extends Omit<BriefBaseCommit, "llm"> {
  /** The parent commit: the base, or the head of the job's branch. */
  readonly parent: Tip;
  readonly creates: boolean;
  readonly settings_problem: string | null;
  /** What fails in the person's pull request that the job works on; missing: it has one of its own. */
  readonly failing?: OfTheirs["failing"];
  readonly observed: ObservedRepository | null;
}

/** The model settings of the agent. */
type Llm = BriefBaseCommit["llm"];

const refused = ({ round, attempt }: PushBrief, sentence: string): Attempt =>
  reported({ type: "brief-refused", round, attempt, sentence });

/** A job that turns out to be one too many has to wait. */
const limitsRead = ({ round, attempt }: PushBrief): Attempt => reported({ type: "limits-read", round, attempt });

/** A budget holds only what a price and the gateway can hold to it. */
const isBudgeted = (job: Job): boolean => isOnActions(job) && job.reserved?.budgeted === true;

/** A market worker chooses its own model, so the setting is a proposal and never an error. */
function llmOf({ job, defaults, now }: Task, { settings }: PushBase): Llm | string {
  const asked = isOnActions(job) ? defaults : { ...defaults, own_models: true };
  const named = modelOf(job.choices, settings, asked, now());
  if (!named.ok) return named.sentence;
  const { model, max_tokens, notes } = named.choice;
  if (isBudgeted(job) && !hasPrice(model)) return refusals.noPrice(model);
  return { provider: named.provider, model, max_tokens, notes: [...notes], named_by: named.named_by };
}

const pushed = (task: Task, effect: PushBrief, sha: string, pushBase: PushBase, llm: Llm): Attempt => ({
  ...reported({
    type: "brief-pushed",
    round: effect.round,
    attempt: effect.attempt,
    head_sha: sha,
    base: pushBase.base,
    settings: pushBase.settings,
    settings_problem: pushBase.settings_problem,
    ...(pushBase.failing === undefined ? {} : { failing: pushBase.failing }),
    ...(isOnActions(task.job) ? { llm: { model: llm.model, notes: llm.notes } } : {}),
    ...discussedUntil(pushBase.context),
  }),
  ...(pushBase.observed === null ? {} : { repository: pushBase.observed }),
});

/** The base commit as cached from push events; null if unknown and must be fetched. */
function cachedBase(task: Task, known: ObservedRepository | null): PushBase | null {
  const { job, again } = task;
  const base = known?.base;
  if (!base || again || job.head_sha !== null) return null;
  if (job.base.branch !== null && job.base.branch !== base.branch) return null;
  // The workflow may have been added or replaced since, so look before refusing.
  if (isOnActions(job) && !base.has_workflow) return null;
  if (isBudgeted(job) && base.has_gateway !== true) return null;
  return {
    base: { branch: base.branch, sha: base.head_sha },
    parent: { sha: base.head_sha, tree: base.tree_sha },
    creates: true,
    settings:
      known.settings ?? (known.settings_problem === null ? DEFAULT_REPOSITORY_SETTINGS : UNREAD_REPOSITORY_SETTINGS),
    settings_problem: known.settings_problem,
    present: [],
    failed_checks: [],
    reviews: [],
    observed: null,
  };
}

/** The base commit as fetched from GitHub, or the sentence that says why there is none. */
function fetchedBase(
  task: Task,
  state: BranchState | null,
  known: ObservedRepository | null,
  reviews: readonly Review[],
): PushBase | string {
  const { job } = task;
  if (state === null) return refusals.notInstalled(job.repository);
  if (state.default_branch === null) return refusals.emptyRepository();
  if (state.in_the_way !== null) return refusals.branchInTheWay(state.in_the_way);
  if (state.base === null) return refusals.noSuchBranch(job.base.branch ?? state.default_branch);
  if (isOnActions(job) && !state.has_workflow) return refusals.missingWorkflow(state.base.branch);
  // GitHub runs the file of the commit that the brief is put upon
  if (isBudgeted(job) && !(state.branch ?? state).has_gateway)
    return refusals.noGateway(state.branch === null ? state.base.branch : job.branch);
  const read = state.settings;
  const kept = known?.settings ?? job.settings ?? UNREAD_REPOSITORY_SETTINGS;
  return {
    base: { branch: state.base.branch, sha: state.base.sha },
    parent: state.branch ?? state.base,
    creates: state.branch === null,
    settings: read === null ? DEFAULT_REPOSITORY_SETTINGS : read.ok ? read.settings : kept,
    settings_problem: read === null || read.ok ? null : read.problem,
    present: state.present,
    failed_checks: [],
    reviews,
    observed: observedOf(state, job.repository, known),
  };
}

const filesOf = async (task: Task, effect: PushBrief, baseCommit: BriefBaseCommit): Promise<BriefFiles> => {
  const { files, removed } = briefFiles(task.job, effect, baseCommit, task);
  return { files: [...files, ...(await attachmentFiles(task))], removed };
};

/** Where a rule of the base wants signed commits, GitHub must make them. */
const howOf = ({ settings }: PushBase): "push" | "rest" => (wantsSignedCommits(settings) ? "rest" : "push");

async function push(task: Task, effect: PushBrief, pushBase: PushBase, llm: Llm, last: boolean): Promise<Pushed> {
  const { parent, creates, settings } = pushBase;
  const files = await filesOf(task, effect, { ...pushBase, llm });
  const messageOf = (tree: string): string =>
    briefMessage(task.job, effect, settings, sealLine(task, effect, { tree, parent: parent.sha }));
  const commit = { ...files, parent, creates, messageOf };
  return pushCommit(task, commit, { how: howOf(pushBase), last });
}

/** The tree of a first brief on this commit; null when there would be none. */
function firstTree(task: Task, effect: PushBrief, pushBase: PushBase | string): TreeOn {
  return async ({ sha, tree }) => {
    const llm = typeof pushBase === "string" ? pushBase : llmOf(task, pushBase);
    if (typeof pushBase === "string" || typeof llm === "string") return null;
    const first = { ...pushBase, base: { ...pushBase.base, sha }, present: [], failed_checks: [], llm };
    const files = await filesOf(task, effect, first);
    const known = treeWith(task, tree, files);
    if (known !== null) return known.id;
    const written = await attempted(task.now, () => writeTree(task, files, tree));
    return written.ok ? written.value : null;
  };
}

/** Follows the default branch if it was renamed after the job began. */
async function readState(task: Task): Promise<BranchState | null> {
  const { job } = task;
  const state = await readStateWithComments(task);
  if (state === null || state.base !== null || job.base.is_default !== true || job.base.branch === null) return state;
  return readBranchState(task, { ...job, base: { ...job.base, branch: null } });
}

/** Of the commit that the merge queue has tested, where that caused the round. */
const failedChecks = async (task: Task, effect: PushBrief, state: BranchState | null) =>
  isOfQueueRound(task.job, effect) ? readFailedChecks(task, task.job.merge_queue.group_sha) : (state?.failed ?? []);

interface Found {
  readonly pushBase: PushBase | string;
  readonly left: string | null;
  /** What is reported in place of a push. */
  readonly withdrawn?: Attempt;
}

/**
 * Finds the base commit and what an earlier performance left. `may_exist`: the branch may hold this attempt's brief
 * already.
 */
async function find(
  task: Task,
  effect: PushBrief,
  known: ObservedRepository | null,
  may_exist: boolean,
): Promise<Found> {
  const [state, read] = await Promise.all([readState(task), readRoundReviews(task, effect)]);
  const reviews = read.kind === "reviews" ? read.reviews : [];
  const base = fetchedBase(task, state, known, reviews);
  const pushBase =
    typeof base === "string" ? base : { ...base, context: await readContext(task, state?.comments ?? null, reviews) };
  const left =
    state !== null && state.branch !== null && may_exist
      ? await ownBrief(task, effect, firstTree(task, effect, pushBase))
      : null;
  if (read.kind === "withdrawn" && left === null) return { pushBase, left, withdrawn: reported(read.report) };
  const on_theirs = theirs(task.job);
  if (on_theirs !== null && typeof pushBase !== "string") {
    const told = await briefOfTheirs(task, effect, on_theirs, pushBase.base.sha);
    return "withdrawn" in told ? { pushBase, left, ...told } : { pushBase: { ...pushBase, ...told }, left };
  }
  if (typeof pushBase === "string" || left !== null || task.job.failure === null) return { pushBase, left };
  return {
    pushBase: { ...pushBase, failed_checks: await readFailedLogs(task, await failedChecks(task, effect, state)) },
    left,
  };
}

export async function pushBrief(task: Task, effect: PushBrief): Promise<Attempt> {
  const { job } = task;
  const known = await task.repositories.get(job.repository.owner, job.repository.name);

  if (effect.unplaced === true && known?.settings && isLimited(known.settings)) return limitsRead(effect);
  const cached = cachedBase(task, known);
  if (cached !== null && (howOf(cached) === "rest" || isPushReady(task, cached.parent.tree))) {
    const llm = llmOf(task, cached);
    if (typeof llm === "string") return refused(effect, llm);
    const context = await attempted(task.now, () => readContext(task));
    if (!context.ok) return { ended: "later", ...laterOf(context.githubError) };
    const pushBase = { ...cached, context: context.value };
    const first = await push(task, effect, pushBase, llm, false);
    if (first.ended === "pushed") return pushed(task, effect, first.sha, pushBase, llm);
    if (first.ended === "refused") return refused(effect, first.sentence);
    if (first.ended === "later") return first;
  }

  // Only the App creates the first attempt's branch, so an existing one must hold an earlier brief of ours.
  const first_try = job.head_sha === null;
  const read = await attempted(task.now, () => find(task, effect, known, task.again || first_try));
  if (!read.ok) {
    if (read.githubError.kind === "gone") return refused(effect, refusals.notInstalled(job.repository));
    if (read.githubError.kind === "forbidden") return refused(effect, refusals.lacksPermission(job.repository));
    return { ended: "later", ...laterOf(read.githubError) };
  }
  const { pushBase, left, withdrawn } = read.value;
  if (withdrawn !== undefined) return withdrawn;
  if (typeof pushBase === "string") return refused(effect, pushBase);
  const llm = llmOf(task, pushBase);
  if (typeof llm === "string") return refused(effect, llm);
  if (left !== null) return pushed(task, effect, left, pushBase, llm);
  if (effect.unplaced === true && isLimited(pushBase.settings))
    return { ...limitsRead(effect), ...(pushBase.observed === null ? {} : { repository: pushBase.observed }) };
  if (first_try && !pushBase.creates && effect.round === 1 && effect.attempt === 1)
    return refused(effect, refusals.foreignBranch(job.branch));

  const second = await push(task, effect, pushBase, llm, true);
  if (second.ended === "pushed") return pushed(task, effect, second.sha, pushBase, llm);
  if (second.ended === "refused") return refused(effect, second.sentence);
  if (second.ended === "later") return second;
  if (second.ended === "stale" && second.final) return refused(effect, refusals.notTaken(job.branch));
  return { ended: "later", reason: "The branch moved while the brief was being pushed.", after_ms: 1_000 };
}
