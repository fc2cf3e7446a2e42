/**
 * merge: merges the pull request, always at the commit that was judged (github-facts 6.1). No other file merges. A
 * refusal is examined once, so that the message names its cause.
 */

import type { Effect } from "../../domain/job/effect.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { botLogin } from "../client/app-identity.ts";
import { attempted, type CallOutcome, type GitHubError } from "../client/errors.ts";
import * as said from "../render/merge-refusals.ts";
import { laterOf } from "./one-call.ts";
import { type MergeMethod, type PullRequestState, readPullRequest } from "./pull-request-state.ts";
import { done, reported, type Task } from "./task.ts";

type Merge = Extract<Effect, { type: "merge" }>;

const put = (task: Task, number: number, sha: string, method: MergeMethod): Promise<CallOutcome<unknown>> =>
  attempted(task.now, () =>
    task.octokit.request("PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge", {
      ...task.at,
      pull_number: number,
      sha,
      merge_method: method,
    }),
  );

export const mergeRefused = (sha: string, sentence: string, final: boolean): Attempt =>
  reported({ type: "merge-refused", sha, sentence, final });

const mergedByUs = (task: Task, pull_request: number): Attempt =>
  reported({ type: "merged", pull_request, by: botLogin(task.self), at: task.now() });

/** What in the pull request's state forbids merging this commit; null when nothing does. */
export function mergeBlocker(task: Task, number: number, sha: string, pull: PullRequestState): Attempt | null {
  if (pull.state === "MERGED") {
    const { merged_by: by, merged_by_id, merged_at } = pull;
    const whose = merged_by_id === null ? {} : { by_id: merged_by_id };
    return reported({ type: "merged", pull_request: number, by, ...whose, at: merged_at ?? task.now() });
  }
  if (pull.state === "CLOSED") return mergeRefused(sha, said.closed(), true);
  if (pull.head !== sha) return mergeRefused(sha, said.moved(), false);
  if (pull.draft) return mergeRefused(sha, said.draft(), false);
  return null;
}

const METHOD_REFUSED = /(?:merges?|merging|commits) (?:is|are) not allowed/i;

async function explainRefusal(
  task: Task,
  number: number,
  { sha, method }: Merge,
  githubError: GitHubError,
): Promise<Attempt> {
  const read = await attempted(task.now, () => readPullRequest(task, number));
  if (!read.ok) return { ended: "later", ...laterOf(read.githubError) };
  const against = mergeBlocker(task, number, sha, read.value);
  if (against !== null) return against;
  const words = "words" in githubError ? githubError.words : "";
  const other = read.value.methods.find((allowed) => allowed !== method);
  if (!read.value.methods.includes(method) || METHOD_REFUSED.test(words)) {
    if (other === undefined) return mergeRefused(sha, said.noMethod(method), true);
    const second = await put(task, number, sha, other);
    return second.ok ? mergedByUs(task, number) : mergeRefused(sha, said.ofWords(wordsOf(second.githubError)), false);
  }
  return mergeRefused(sha, said.ofWords(words), said.isFinal(words));
}

const wordsOf = (githubError: GitHubError): string => ("words" in githubError ? githubError.words : "");

export async function merge(task: Task, effect: Merge): Promise<Attempt> {
  const pull = task.job.pull_request;
  if (pull === null) return done;
  const answer = await put(task, pull.number, effect.sha, effect.method);
  if (answer.ok) return mergedByUs(task, pull.number);
  switch (answer.githubError.kind) {
    case "later":
      return { ended: "later", ...laterOf(answer.githubError) };
    case "forbidden":
      return mergeRefused(effect.sha, said.forbidden(), true);
    case "gone":
      return mergeRefused(effect.sha, said.closed(), true);
    default:
      return explainRefusal(task, pull.number, effect, answer.githubError);
  }
}
