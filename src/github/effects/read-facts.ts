/**
 * read-facts: reads all facts of a verdict at one point in time. Usually one query; more for further pages, for runs to
 * confirm, and while GitHub computes mergeability (github-facts 6.3).
 */

import { DEFAULT_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import type { Effect } from "../../domain/job/effect.ts";
import type { Check, Facts } from "../../domain/job/facts.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { askWithout } from "../client/graphql.ts";
import { parseSettingsBlob, SETTINGS_PATH } from "../repository-settings/settings-file.ts";
import { type Begun, runsOf } from "./check-suites.ts";
import {
  checkOfContext,
  FACTS_QUERY,
  type FactsAnswer,
  factsSchema,
  MAX_LISTED,
  requiredChecks,
  signaturesOf,
} from "./facts-query.ts";
import { movedFrom } from "./moved-files.ts";
import { type DatedCheck, newestChecks } from "./newest-checks.ts";
import { laterOf } from "./one-call.ts";
import { QUEUE_ENTRY, queueFacts, queueVariables } from "./queue-facts.ts";
import { runStatus } from "./read-run.ts";
import { done, reported, type Task } from "./task.ts";

type ReadFacts = Extract<Effect, { type: "read-facts" }>;

/** GitHub needs this long to compute mergeability after the first request. */
const MERGEABLE_WAIT_MS = 1_000;
/** Enough pages for {@link MAX_LISTED}, and one more. */
const MAX_PAGES = 4;
/** Runs that one reading asks for individually. */
const MAX_RUNS = 20;

interface Reading {
  readonly first: FactsAnswer;
  readonly checks: readonly DatedCheck[];
  readonly checks_complete: boolean;
  readonly files: readonly string[];
  /** GitHub reports the old path of a moved file elsewhere. */
  readonly moved: boolean;
  readonly files_complete: boolean;
}

interface Cursors {
  readonly checksAfter: string | null;
  readonly filesAfter: string | null;
}

const START: Cursors = { checksAfter: null, filesAfter: null };

const baseRefOf = ({ job }: Task): string => `refs/heads/${job.base.branch ?? ""}`;

/** The default branch was renamed if the old name no longer exists; a branch that merely lost the role still exists. */
const isRenamed = ({ job }: Task, { base, defaultBranchRef, pullRequest }: FactsAnswer): boolean =>
  job.base.is_default === true && !base && defaultBranchRef?.name === pullRequest.baseRefName;

function query(task: Task, number: number, cursors: Cursors): Promise<FactsAnswer> {
  const head = task.job.head_sha ?? "";
  const variables = {
    ...{ ...task.at, number, head, settings: `HEAD:${SETTINGS_PATH}`, base: baseRefOf(task) },
    ...queueVariables(task.job),
    // a squash is signed by GitHub, whatever it is made of
    asksSigned: task.job.settings?.auto_merge.method === "merge",
    ...cursors,
  };
  return askWithout(QUEUE_ENTRY, task.octokit, FACTS_QUERY, variables, factsSchema).then(
    ({ repository }) => repository,
  );
}

/** Reads all pages up to {@link MAX_LISTED}. If the head moves in between, the reading is incomplete. */
async function read(task: Task, number: number): Promise<Reading> {
  const first = await query(task, number, START);
  const checks: DatedCheck[] = [];
  const files: string[] = [];
  let renamed = false;
  let answer = first;
  for (let page = 1; ; page++) {
    const contexts = answer.pullRequest.statusCheckRollup?.contexts;
    const listed = answer.pullRequest.files;
    if (checks.length < MAX_LISTED && contexts)
      checks.push(...contexts.nodes.map((context) => checkOfContext(context, task.self, task.job.id)));
    files.push(...(listed?.nodes.map(({ path }) => path) ?? []));
    renamed ||= listed?.nodes.some(({ changeType }) => changeType === "RENAMED") ?? false;
    const more_checks = contexts?.pageInfo.hasNextPage ?? false;
    const more_files = listed?.pageInfo.hasNextPage ?? false;
    const full = checks.length >= MAX_LISTED || files.length >= MAX_LISTED || page >= MAX_PAGES;
    const moved = answer.pullRequest.headRefOid !== first.pullRequest.headRefOid;
    if ((!more_checks && !more_files) || full || moved)
      return {
        first,
        checks,
        checks_complete: !more_checks && !moved,
        files,
        moved: renamed,
        files_complete: !more_files && listed !== null && !moved,
      };
    answer = await query(task, number, {
      checksAfter: contexts?.pageInfo.endCursor ?? null,
      filesAfter: listed?.pageInfo.endCursor ?? null,
    });
  }
}

/** Mergeability is unknown and the verdict waits only for it: requesting the pull request makes GitHub compute it. */
const mustAskAgain = ({ first, checks }: Reading): boolean =>
  first.pullRequest.state === "OPEN" &&
  first.pullRequest.mergeable === "UNKNOWN" &&
  checks.every(({ check }) => check.ours || check.state !== "pending");

async function readSettled(task: Task, number: number): Promise<Reading> {
  const reading = await read(task, number);
  if (!mustAskAgain(reading)) return reading;
  await task.octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", { ...task.at, pull_number: number });
  await task.wait(MERGEABLE_WAIT_MS);
  return read(task, number);
}

/** Whether the run has ended. A deleted one has. */
async function isOver(task: Task, run_id: number): Promise<boolean> {
  const answer = await attempted(task.now, () =>
    task.octokit.request("GET /repos/{owner}/{repo}/actions/runs/{run_id}", { ...task.at, run_id }),
  );
  return answer.ok ? runStatus(answer.value.data.status) === "completed" : answer.githubError.kind === "gone";
}

/** Runs from the head's suites, and individual requests for those that the suites lack. */
async function runsNow(task: Task, reading: Reading, asked: readonly number[]): Promise<Begun> {
  const runs = runsOf(reading.first.head?.checkSuites ?? null);
  const known = new Set([...runs.open, ...runs.complete]);
  const unknown = asked.filter((id) => !known.has(id));
  const over = await Promise.all(unknown.slice(0, MAX_RUNS).map((id) => isOver(task, id)));
  return {
    ...runs,
    open: [...runs.open, ...unknown.filter((_, index) => over[index] !== true)],
    complete: [...runs.complete, ...unknown.filter((_, index) => over[index] === true)],
  };
}

const REVIEWS = { APPROVED: "approved", CHANGES_REQUESTED: "changes_requested", REVIEW_REQUIRED: "required" } as const;
const MERGEABLE = { MERGEABLE: "yes", CONFLICTING: "conflict", UNKNOWN: "unknown" } as const;
const STATES = { OPEN: "open", CLOSED: "closed", MERGED: "merged" } as const;

/** GitHub holds no merge for a review that is not required; a writer who asks for changes counts all the same. */
function reviewOf({ reviewDecision, latestOpinionatedReviews }: FactsAnswer["pullRequest"]): Facts["review"] {
  if (reviewDecision !== null) return REVIEWS[reviewDecision];
  const asks = latestOpinionatedReviews?.nodes.some((review) => review?.state === "CHANGES_REQUESTED");
  return asks ? "changes_requested" : "none";
}

const groupChecks = ({ self, job }: Task, { group }: FactsAnswer): readonly Check[] =>
  (group?.statusCheckRollup?.contexts.nodes ?? []).map((context) => checkOfContext(context, self, job.id).check);

function factsOf(task: Task, reading: Reading, runs: Begun, old_paths: readonly string[] | null): Facts {
  const { pullRequest: pull, ...repository } = reading.first;
  const settings = parseSettingsBlob(repository.settings);
  return {
    pull_request_id: pull.id,
    head_sha: pull.headRefOid,
    state: STATES[pull.state],
    merged_by: pull.mergedBy?.login ?? null,
    merged_by_id: pull.mergedBy?.databaseId ?? null,
    merged_at: pull.mergedAt ? Date.parse(pull.mergedAt) : null,
    draft: pull.isDraft,
    base: pull.baseRefName,
    base_renamed: isRenamed(task, reading.first),
    base_deleted: task.job.base.branch !== null && !reading.first.base,
    base_sha: pull.baseRef?.target?.oid ?? null,
    mergeable: MERGEABLE[pull.mergeable],
    merge_state: pull.mergeStateStatus,
    review: reviewOf(pull),
    auto_merge_enabled: pull.autoMergeRequest !== null,
    queue: queueFacts(pull, groupChecks(task, reading.first)),
    checks: newestChecks([...reading.checks, ...runs.checks]),
    signatures: signaturesOf(pull),
    required: requiredChecks(pull),
    checks_complete: reading.checks_complete && runs.listed,
    open_runs: runs.open,
    complete_runs: runs.complete,
    ci_begun: runs.of_pull_request,
    changed_files: [...reading.files.slice(0, MAX_LISTED), ...(old_paths ?? [])],
    changed_files_complete: reading.files_complete && old_paths !== null,
    auto_merge_allowed: repository.autoMergeAllowed,
    deletes_branch_on_merge: repository.deleteBranchOnMerge,
    settings: settings?.ok ? settings.settings : settings === null ? DEFAULT_REPOSITORY_SETTINGS : lastGood(task),
    settings_problem: settings === null || settings.ok ? null : settings.problem,
  };
}

const lastGood = ({ job }: Task): Facts["settings"] => job.settings ?? DEFAULT_REPOSITORY_SETTINGS;

export async function readFacts(task: Task, { runs }: ReadFacts): Promise<Attempt> {
  const pull = task.job.pull_request;
  if (pull === null) return done;
  const answer = await attempted(task.now, async () => {
    const reading = await readSettled(task, pull.number);
    const old_paths = reading.moved ? await movedFrom(task, pull.number, MAX_LISTED) : [];
    return factsOf(task, reading, await runsNow(task, reading, runs), old_paths);
  });
  if (!answer.ok) return { ended: "later", ...laterOf(answer.githubError) };
  return reported({ type: "observe", facts: answer.value });
}
