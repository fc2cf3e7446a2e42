/** Enables and disables GitHub's native auto-merge. The verdict decides whether it is wanted. */

import type { Effect } from "../../domain/job/effect.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted, type GitHubError } from "../client/errors.ts";
import * as said from "../render/merge-refusals.ts";
import { mergeBlocker, mergeRefused } from "./merge.ts";
import { laterOf } from "./one-call.ts";
import { readPullRequest } from "./pull-request-state.ts";
import { done, reported, type Task } from "./task.ts";

type Enable = Extract<Effect, { type: "enable-auto-merge" }>;

const ENABLE = `
mutation EnableAutoMerge($id: ID!, $how: PullRequestMergeMethod!, $sha: GitObjectID!) {
  enablePullRequestAutoMerge(input: { pullRequestId: $id, mergeMethod: $how, expectedHeadOid: $sha }) {
    clientMutationId
  }
}`;

const DISABLE = `
mutation DisableAutoMerge($id: ID!) {
  disablePullRequestAutoMerge(input: { pullRequestId: $id }) { clientMutationId }
}`;

/** GitHub's refusals of auto-merge, as observed (github-facts 6.4). */
function refusalOf(sha: string, githubError: GitHubError): Attempt {
  const words = "words" in githubError ? githubError.words : "";
  if (/clean status|unstable status|has_hooks status/i.test(words))
    return mergeRefused(sha, said.nothingHeldBack(), false);
  if (/protected branch rules not configured/i.test(words)) return mergeRefused(sha, said.unprotected(), false);
  if (/auto.?merge is not allowed/i.test(words)) return mergeRefused(sha, said.autoMergeNotAllowed(), true);
  if (/not allowed on this repository/i.test(words)) return mergeRefused(sha, said.noMethod("these"), true);
  if (githubError.kind === "conflict" || /head (?:branch|sha|oid)|expected head/i.test(words))
    return mergeRefused(sha, said.moved(), false);
  if (githubError.kind === "forbidden") return mergeRefused(sha, said.forbidden(), true);
  return mergeRefused(sha, said.ofWords(words), said.isFinal(words));
}

export async function enableAutoMerge(task: Task, { sha, method }: Enable): Promise<Attempt> {
  const pull = task.job.pull_request;
  if (pull === null) return done;
  const read = await attempted(task.now, () => readPullRequest(task, pull.number));
  if (!read.ok) return { ended: "later", ...laterOf(read.githubError) };
  const against = mergeBlocker(task, pull.number, sha, read.value);
  if (against !== null) return against;
  if (read.value.auto_merges) return reported({ type: "auto-merge-enabled", sha });
  const chosen = read.value.methods.includes(method) ? method : read.value.methods[0];
  if (chosen === undefined) return mergeRefused(sha, said.noMethod(method), true);
  const answer = await attempted(task.now, () =>
    task.octokit.graphql(ENABLE, { id: read.value.id, how: chosen.toUpperCase(), sha }),
  );
  if (answer.ok) return reported({ type: "auto-merge-enabled", sha });
  if (answer.githubError.kind === "later") return { ended: "later", ...laterOf(answer.githubError) };
  return refusalOf(sha, answer.githubError);
}

const DEQUEUE = `
mutation Dequeue($id: ID!) {
  dequeuePullRequest(input: { id: $id }) { clientMutationId }
}`;

/** Takes the pull request out of the merge queue, too. */
export async function disableAutoMerge(task: Task): Promise<Attempt> {
  const pull = task.job.pull_request;
  if (pull === null) return done;
  const answer = await attempted(task.now, async () => {
    const { id, state, auto_merges, queue } = await readPullRequest(task, pull.number);
    if (state === "OPEN" && auto_merges) await task.octokit.graphql(DISABLE, { id });
    if (state === "OPEN" && queue !== null) await task.octokit.graphql(DEQUEUE, { id });
  });
  if (answer.ok || answer.githubError.kind !== "later") return done;
  return { ended: "later", ...laterOf(answer.githubError) };
}
