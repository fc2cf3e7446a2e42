/** Reviews of pull requests with line comments, and their events. */
import { validationFailed } from "./errors.ts";
import { emit } from "./events.ts";
import type { Cause, Json, Reaction, Repository, Review, ReviewComment } from "./model.ts";
import { reviewCommentJson, reviewJson } from "./payloads-issues.ts";
import { pullSummaryJson } from "./payloads-pulls.ts";
import type { PullIssue } from "./state.ts";
import type { World } from "./world.ts";

export interface NewReview extends Pick<Review, "state" | "body"> {
  readonly comments?: readonly NewComment[];
}

type Said = Pick<ReviewComment, "body" | "path" | "line"> & { readonly start_line?: number | null | undefined };
type NewComment = Pick<ReviewComment, "body" | "path" | "line" | "startLine" | "hunk"> &
  Partial<Pick<ReviewComment, "replyTo">>;

export function addReview(
  world: World,
  repository: Repository,
  issue: PullIssue,
  input: NewReview,
  cause: Cause,
): Review {
  const at = world.now();
  const review: Review = {
    id: world.state.nextId(),
    user: cause.user,
    state: input.state,
    body: input.body,
    commitId: issue.pull.headSha,
    submittedAt: at,
    comments: (input.comments ?? []).map((one) => ({
      ...{ replyTo: undefined, ...one, id: world.state.nextId(), reactions: [] },
    })),
    reactions: [],
  };
  issue.pull.reviews.push(review);
  const asked = issue.pull.requestedReviewers.findIndex(({ id }) => id === cause.user.id);
  if (asked >= 0 && review.state !== "COMMENTED") issue.pull.requestedReviewers.splice(asked, 1);
  world.feed.tell("review", repository, `${cause.user.login} reviewed #${issue.number}: ${review.state}`);
  const shown = reviewJson(world, repository, issue.number, review);
  const pull_request = pullSummaryJson(world, repository, issue);
  emit(world, repository, "pull_request_review", cause, {
    action: "submitted",
    // an empty body is null here, though not over REST
    review: { ...shown, state: review.state.toLowerCase(), body: review.body === "" ? null : review.body },
    pull_request,
  });
  for (const comment of review.comments) {
    const told: Json = reviewCommentJson(world, repository, issue.number, review, comment);
    emit(world, repository, "pull_request_review_comment", cause, { action: "created", comment: told, pull_request });
  }
  world.considerAutoMerge(repository, issue.pull.headSha);
  return review;
}

/** The hunk of a file's patch up to this line of the new file; null when the line is not in the diff. */
export function hunkUpTo(patch: string, line: number): string | null {
  let [hunk, next]: [string[], number] = [[], 0];
  for (const text of patch.split("\n")) {
    const start = /^@@ -\S+ \+(\d+)/.exec(text)?.[1];
    hunk = start === undefined ? [...hunk, text] : [text];
    if (start !== undefined) next = Number(start);
    else if (text.startsWith("+") || text.startsWith(" ")) {
      if (next === line) return hunk.join("\n");
      next += 1;
    }
  }
  return null;
}

/** The comments with their lines of the diff. */
export async function onLines({ git }: Repository, { pull }: PullIssue, said: readonly Said[]): Promise<NewComment[]> {
  if (said.length === 0) return [];
  const base = git.branch(pull.baseRef) ?? pull.baseSha;
  const files = await git.patches((await git.mergeBase(base, pull.headSha)) ?? base, pull.headSha);
  return said.map(({ path, line, body, start_line }) => {
    const file = files.find(({ filename }) => filename === path);
    const hunk = file === undefined ? null : hunkUpTo(file.patch, line);
    const field = `pull_request_review_thread.${file === undefined ? "path" : "line"}`;
    if (hunk === null)
      throw validationFailed("PullRequestReviewComment", `${field} must be part of the diff`, { field });
    return { path, line, body, hunk, startLine: start_line ?? null };
  });
}

interface FoundComment {
  readonly issue: PullIssue;
  readonly review: Review;
  readonly comment: ReviewComment;
}

export function findReviewComment(world: World, repository: Repository, id: number): FoundComment | undefined {
  for (const issue of world.state.pulls(repository))
    for (const review of issue.pull.reviews) {
      const comment = review.comments.find((one) => one.id === id);
      if (comment) return { issue, review, comment };
    }
  return undefined;
}

export const reactionsOfReview = (world: World, repository: Repository, id: number): Reaction[] | undefined =>
  world.state
    .pulls(repository)
    .flatMap(({ pull }) => pull.reviews)
    .find((one) => one.id === id)?.reactions;

/** A person takes a review back, or whoever may write does. Only a verdict can be dismissed. */
export function dismissReview(
  world: World,
  repository: Repository,
  issue: PullIssue,
  review: Review,
  cause: Cause,
): void {
  if (review.state !== "APPROVED" && review.state !== "CHANGES_REQUESTED")
    throw validationFailed("PullRequestReview", "Can not dismiss a commented pull request review");
  review.state = "DISMISSED";
  const shown = reviewJson(world, repository, issue.number, review);
  emit(world, repository, "pull_request_review", cause, {
    action: "dismissed",
    review: { ...shown, state: "dismissed", body: review.body === "" ? null : review.body },
    pull_request: pullSummaryJson(world, repository, issue),
  });
  world.considerAutoMerge(repository, issue.pull.headSha);
}
