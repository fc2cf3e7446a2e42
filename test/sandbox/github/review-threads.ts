/** Threads on the lines of a pull request: answers, resolving, where their lines are now, and asking for a review. */
import { roleOf } from "./access.ts";
import { Refusal } from "./errors.ts";
import { emit } from "./events.ts";
import type { Cause, Repository, Review, ReviewComment, User } from "./model.ts";
import { reviewCommentJson } from "./payloads-issues.ts";
import { pullSummaryJson } from "./payloads-pulls.ts";
import { pullEvent } from "./pulls.ts";
import { addReview } from "./reviews.ts";
import type { PullIssue } from "./state.ts";
import type { World } from "./world.ts";

export interface CommentOfReview {
  readonly review: Review;
  readonly comment: ReviewComment;
}

/** Named by its first comment. */
export interface Thread {
  readonly id: number;
  readonly comments: readonly [CommentOfReview, ...CommentOfReview[]];
  readonly resolvedBy: User | null;
}

export function threadsOf({ pull }: PullIssue): Thread[] {
  const all = pull.reviews.flatMap((review) => review.comments.map((comment) => ({ review, comment })));
  return all
    .filter(({ comment }) => comment.replyTo === undefined)
    .map((first) => ({
      id: first.comment.id,
      comments: [first, ...all.filter(({ comment }) => comment.replyTo === first.comment.id)],
      resolvedBy: pull.resolved.get(first.comment.id) ?? null,
    }));
}

/** Where a line of one commit is in another; null: it is gone, or was changed. */
export async function lineIn(
  { git }: Repository,
  from: string,
  to: string,
  path: string,
  line: number,
): Promise<number | null> {
  if (from === to) return line;
  const file = (await git.patches(from, to)).find(({ filename }) => filename === path);
  if (file === undefined) return line;
  if (file.status === "removed") return null;
  let [before, after] = [0, 0];
  let moved = line;
  for (const text of file.patch.split("\n")) {
    const [, start, next] = /^@@ -(\d+)\S* \+(\d+)/.exec(text) ?? [];
    if (start !== undefined) [before, after] = [Number(start), Number(next)];
    else if (text.startsWith("-")) {
      if (before === line) return null;
      before += 1;
    } else if (text.startsWith("+")) after += 1;
    else if (text.startsWith(" ")) {
      if (before === line) return after;
      before += 1;
      after += 1;
    }
    if (before <= line) moved = line + after - before;
  }
  return moved;
}

export function replyInThread(
  world: World,
  repository: Repository,
  issue: PullIssue,
  { thread, body }: { readonly thread: Thread; readonly body: string },
  cause: Cause,
): Review {
  const { path, line, startLine, hunk } = thread.comments[0].comment;
  const comment = { path, line, startLine, hunk, body, replyTo: thread.id };
  return addReview(world, repository, issue, { state: "COMMENTED", body: "", comments: [comment] }, cause);
}

export function resolveThread(
  world: World,
  repository: Repository,
  issue: PullIssue,
  thread: Thread,
  cause: Cause,
): void {
  if (issue.pull.resolved.has(thread.id)) return;
  issue.pull.resolved.set(thread.id, cause.user);
  const comments = thread.comments.map(({ review, comment }) =>
    reviewCommentJson(world, repository, issue.number, review, comment),
  );
  emit(world, repository, "pull_request_review_thread", cause, {
    action: "resolved",
    thread: { node_id: `PRRT_${thread.id}`, comments },
    pull_request: pullSummaryJson(world, repository, issue),
  });
}

export function requestReviews(
  world: World,
  repository: Repository,
  issue: PullIssue,
  { users, union }: { readonly users: readonly User[]; readonly union: boolean },
  cause: Cause,
): void {
  const { requestedReviewers } = issue.pull;
  for (const user of users) {
    if (user.id === issue.user.id) throw new Refusal(422, "Review cannot be requested from pull request author.");
    if (user.type !== "User" || roleOf(repository, user.login) === "none")
      throw new Refusal(422, "Reviews may only be requested from collaborators.");
  }
  if (!union) requestedReviewers.length = 0;
  for (const user of users) {
    if (requestedReviewers.some(({ id }) => id === user.id)) continue;
    requestedReviewers.push(user);
    pullEvent(world, repository, issue, "review_requested", cause);
  }
}
