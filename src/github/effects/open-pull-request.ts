/**
 * open-pull-request: removes the job's folder from the branch and opens the pull request, or reuses the open one for a
 * further round. One write for an existing pull request, two for a new one; one less if the run's push removed the
 * folder.
 */

import type { Effect } from "../../domain/job/effect.ts";
import { actionsWork, type Job, marketWork } from "../../domain/job/job.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted, type CallOutcome, type GitHubError } from "../client/errors.ts";
import { pullRequestBody, pullRequestTitle } from "../render/pull-request.ts";
import { adoptPullRequest } from "./adopt-pull-request.ts";
import { readBranchState } from "./branch-state.ts";
import { laterOf } from "./one-call.ts";
import { type Cleaned, removeFolder } from "./remove-folder.ts";
import { reported, type Task } from "./task.ts";

type OpenPullRequest = Extract<Effect, { type: "open-pull-request" }>;

interface Opened {
  readonly number: number;
  readonly url: string;
}

async function post(task: Task, base: string, draft: boolean): Promise<Opened> {
  const { octokit, at, job, repositories } = task;
  const known = await repositories.get(job.repository.owner, job.repository.name);
  // GitHub closes issues only from the default branch; elsewhere the keyword would be a false promise.
  const closes = known?.base ? known.base.branch === base : true;
  const { data } = await octokit.request("POST /repos/{owner}/{repo}/pulls", {
    ...at,
    title: pullRequestTitle(job),
    body: pullRequestBody(job, closes),
    head: job.branch,
    base,
    draft,
  });
  return { number: data.number, url: data.html_url };
}

async function find({ octokit, at, job }: Task): Promise<Opened | null> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/pulls", {
    ...at,
    head: `${at.owner}:${job.branch}`,
    state: "open",
    per_page: 1,
  });
  const first = data[0];
  return first ? { number: first.number, url: first.html_url } : null;
}

/** The new name of the default branch, if the job targets it. */
async function renamed({ octokit, at, job }: Task): Promise<string | null> {
  if (job.base.is_default !== true) return null;
  return (await readBranchState({ octokit, at }, null))?.default_branch ?? null;
}

/** 422 for a base that does not exist under this name. */
const NO_BASE = /"field":\s*"base"/;

/** Null when the two branches do not differ. An existing pull request is reused, no matter who opened it. */
async function open(task: Task, base: string): Promise<CallOutcome<Opened | null>> {
  const left = task.again ? await find(task) : null;
  if (left !== null) return { ok: true, value: left };
  const answer = await attempted(task.now, () => post(task, base, task.job.choices.draft));
  if (answer.ok || answer.githubError.kind !== "invalid") return answer;
  const { words } = answer.githubError;
  if (/no commits between/i.test(words)) return { ok: true, value: null };
  if (/already exists/i.test(words)) {
    const there = await find(task);
    return there === null ? answer : { ok: true, value: there };
  }
  if (NO_BASE.test(words)) {
    const name = await renamed(task);
    return name === null || name === base
      ? answer
      : attempted(task.now, () => post(task, name, task.job.choices.draft));
  }
  // Some plans have no drafts in private repositories.
  const without_draft = task.job.choices.draft && /draft/i.test(words);
  return without_draft ? attempted(task.now, () => post(task, base, false)) : answer;
}

/** Right after a push GitHub may not show it yet, so an answer without the known changed files is not trusted. */
async function isUnseen(task: Task, base: string): Promise<boolean> {
  const { octokit, at, job } = task;
  if ((job.result?.changed_files.length ?? 0) === 0) return false;
  if (!task.again) return true;
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
    ...at,
    basehead: `${base}...${job.branch}`,
    per_page: 1,
  });
  return data.ahead_by > 0 && (data.files ?? []).length > 0;
}

/** Before asking again about a push that GitHub does not show yet. */
const UNSEEN_MS = 5_000;

async function adopt(task: Task, round: number, number: number): Promise<Attempt> {
  const answer = await attempted(task.now, () => adoptPullRequest(task, number));
  const refused = (sentence: string) =>
    reported({ type: "submission-refused", round, attempt: task.job.attempt, sentence } as const);
  if (!answer.ok && answer.githubError.kind === "gone") return refused(`There is no pull request #${number} here.`);
  if (!answer.ok) return { ended: "later", ...laterOf(answer.githubError) };
  if ("sentence" in answer.value) return refused(answer.value.sentence);
  return reported({ type: "pull-request-opened", round, ...answer.value });
}

/**
 * The run pushed with our token and without the job's folder, and the head is still that push. In a further round the
 * pull request is checked anyway.
 */
const isClean = (job: Job): boolean =>
  job.pull_request === null && job.head_sha !== null && actionsWork(job)?.handed_in?.clean_sha === job.head_sha;

const asPushed = (job: Job): Cleaned => ({
  head: job.head_sha ?? "",
  empty: job.result?.changed_files.length === 0,
  open: false,
});

/** The base branch may be restored while this is tried again. */
const notOpened = (githubError: GitHubError, base: string): ReturnType<typeof laterOf> =>
  githubError.kind === "invalid" && NO_BASE.test(githubError.words)
    ? { reason: `The base branch ${base} was deleted, so no pull request can be opened; restore it, then retry.` }
    : laterOf(githubError);

export async function openPullRequest(task: Task, { round }: OpenPullRequest): Promise<Attempt> {
  const { job } = task;
  const theirs = marketWork(job)?.delivery?.pull_request ?? null;
  if (theirs !== null) return adopt(task, round, theirs);
  const cleaned = isClean(job) ? asPushed(job) : await removeFolder(task);
  if (cleaned === null)
    return { ended: "later", reason: "The job's branch was deleted, so no pull request can be opened." };
  if ("githubError" in cleaned) return { ended: "later", ...laterOf(cleaned.githubError) };
  const { head, empty } = cleaned;
  if (job.pull_request !== null && cleaned.open)
    return reported({ type: "pull-request-opened", round, ...job.pull_request, head_sha: head });
  if (empty) return reported({ type: "nothing-to-open", round });

  const base = job.base.branch;
  if (base === null) return { ended: "later", reason: "The pull request's base branch is unknown." };
  const answer = await open(task, base);
  if (!answer.ok) return { ended: "later", ...notOpened(answer.githubError, base) };
  if (answer.value === null) {
    const unseen = await attempted(task.now, () => isUnseen(task, base));
    if (unseen.ok && !unseen.value) return reported({ type: "nothing-to-open", round });
    return { ended: "later", reason: "GitHub does not show the pushed work yet.", after_ms: UNSEEN_MS };
  }
  return reported({ type: "pull-request-opened", round, ...answer.value, head_sha: head });
}
