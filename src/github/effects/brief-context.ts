/**
 * What surrounds a job's task on GitHub, for its brief: the issue's discussion, and the images of all texts. A job
 * without an issue, or of the market, has none.
 */
import type { Review } from "../../contracts/review.ts";
import { sanitize } from "../../contracts/sanitize.ts";
import { askedIn } from "../../domain/job/asked-in.ts";
import { type CommentId, commentIdSchema } from "../../domain/job/comment-id.ts";
import { isOnActions, issueOf, type Job } from "../../domain/job/job.ts";
import { attachmentsIn } from "../../text/attachments.ts";
import { gitHubErrorOf } from "../client/errors.ts";
import { type AttachedImages, NO_IMAGES, type Place, readImages, type Source } from "./attached-images.ts";
import { type BranchState, readBranchState } from "./branch-state.ts";
import { type Discussion, discussionOf, NO_DISCUSSION, type ReadComments, readComments } from "./discussion.ts";
import type { Task } from "./task.ts";

export type BriefContext = Omit<Discussion, "comments"> & AttachedImages;

export const NO_CONTEXT: BriefContext = {
  ...{ discussion: [], discussion_notes: [], discussed_until: null },
  ...NO_IMAGES,
};

/** What the core is told of it. */
export const discussedUntil = (context: BriefContext = NO_CONTEXT): { readonly discussed_until?: number } =>
  context.discussed_until === null ? {} : { discussed_until: context.discussed_until };

/** Comments in which the message of a round may stand, newest first. */
const MAX_HEARD = 3;

/** The issue whose discussion the next brief needs; null: there is nothing to read. */
export function discussedIssue(job: Job): number | null {
  if (!isOnActions(job)) return null;
  const fresh = job.round === 1 && job.attempt === 1;
  return fresh && job.undiscussed ? null : issueOf(job.origin);
}

/** The branch with the issue's comments. A deleted issue fails the whole query, and no job. */
export async function readStateWithComments(task: Task): Promise<BranchState | null> {
  const issue = discussedIssue(task.job);
  try {
    return await readBranchState(task, task.job, issue);
  } catch (thrown) {
    if (issue === null || gitHubErrorOf(thrown, task.now())?.kind !== "gone") throw thrown;
    return readBranchState(task, task.job);
  }
}

const heardIn = (job: Job): CommentId[] =>
  job.heard
    .flatMap((id) => commentIdSchema.safeParse(id).data ?? [])
    .slice(-MAX_HEARD)
    .reverse();

/** The texts of the job, the newest first. */
function ownTexts(job: Job): Source[] {
  const issue = issueOf(job.origin);
  const { comment, quoted } = askedIn(job.task, issue);
  const [first, rest] = job.origin.kind === "comment" && comment !== null ? [comment, quoted] : ["", job.task];
  const asked = job.round === 1 ? "" : (job.rounds.at(-1)?.asked ?? "");
  const ofOrigin: Place[] = job.origin.kind === "comment" ? [{ comment: job.origin.comment_id }] : [];
  return [
    { text: asked, places: heardIn(job).map((id) => ({ comment: id })) },
    { text: first, places: ofOrigin },
    { text: rest, places: issue === null ? [] : [{ issue }] },
  ].map(({ text, places }) => ({ text: sanitize(text), places }));
}

/** The words of the reviews that the round is about. */
const reviewTexts = ({ pull_request }: Job, reviews: readonly Review[]): Source[] =>
  reviews.flatMap(({ id, body, comments }) => [
    { text: body, places: pull_request === null ? [] : [{ review: id, pull: pull_request.number }] },
    ...comments.map((one): Source => ({ text: one.body, places: [{ comment: `review-comment:${one.id}` }] })),
  ]);

/** `read`: the comments, where another query has brought them. */
export async function readContext(
  task: Task,
  read?: ReadComments,
  reviews: readonly Review[] = [],
): Promise<BriefContext> {
  const { job } = task;
  if (!isOnActions(job)) return NO_CONTEXT;
  const issue = discussedIssue(job);
  const comments = read === undefined && issue !== null ? await readComments(task, issue) : (read ?? null);
  const { comments: said, ...discussion } = comments === null ? NO_DISCUSSION : await discussionOf(task, comments);
  const others = said.map(({ id, body }) => ({ text: body, places: [{ comment: id }] }));
  const sources = [...reviewTexts(job, reviews), ...ownTexts(job), ...others];
  const any = sources.some(({ text }) => attachmentsIn(text, task.images.web).length > 0);
  return { ...discussion, ...(any ? await readImages(task, sources) : NO_IMAGES) };
}
