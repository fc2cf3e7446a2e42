/**
 * enqueue: puts the pull request into GitHub's merge queue, at the commit that was judged. GitHub may take the order
 * without an error and not follow it, so the entry is read afterwards: one write and one read.
 */
import type { Effect } from "../../domain/job/effect.ts";
import { hasLeft } from "../../domain/job/merge-queue.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted, type GitHubError } from "../client/errors.ts";
import * as said from "../render/merge-refusals.ts";
import { mergeBlocker, mergeRefused } from "./merge.ts";
import { laterOf } from "./one-call.ts";
import { type PullRequestState, readPullRequest } from "./pull-request-state.ts";
import { done, reported, type Task } from "./task.ts";

type Enqueue = Extract<Effect, { type: "enqueue" }>;

const ENQUEUE = `
mutation Enqueue($id: ID!, $sha: GitObjectID!) {
  enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $sha }) { clientMutationId }
}`;

/** Null: it was not added. */
function entered(task: Task, sha: string, number: number, { queue, ...pull }: PullRequestState): Attempt | null {
  if (queue.entry !== null) return reported({ type: "enqueued", sha, position: queue.entry.position, left: false });
  // quick checks throw it out before it is seen there
  if (hasLeft(task.job, queue.left)) return reported({ type: "enqueued", sha, position: null, left: true });
  return mergeBlocker(task, number, sha, { queue, ...pull });
}

export async function enqueue(task: Task, { sha, pull_request_id }: Enqueue): Promise<Attempt> {
  const number = task.job.pull_request?.number ?? null;
  if (number === null) return done;
  if (task.again) {
    const before = await attempted(task.now, () => readPullRequest(task, number));
    if (!before.ok) return { ended: "later", ...laterOf(before.githubError) };
    const left = entered(task, sha, number, before.value);
    if (left !== null) return left;
  }
  const answer = await attempted(task.now, () => task.octokit.graphql(ENQUEUE, { id: pull_request_id, sha }));
  if (!answer.ok && answer.githubError.kind === "later") return { ended: "later", ...laterOf(answer.githubError) };
  const after = await attempted(task.now, () => readPullRequest(task, number));
  if (!after.ok) return { ended: "later", ...laterOf(after.githubError) };
  return (
    entered(task, sha, number, after.value) ??
    (answer.ok ? mergeRefused(sha, said.notQueued(), false) : refusalOf(sha, answer.githubError))
  );
}

function refusalOf(sha: string, githubError: GitHubError): Attempt {
  if (githubError.kind === "forbidden") return mergeRefused(sha, said.forbidden(), true);
  const words = "words" in githubError ? githubError.words : "";
  return mergeRefused(sha, said.ofQueueWords(words), false);
}
