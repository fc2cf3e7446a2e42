/** Finds the job that a further `/job` on its issue is for, and says in a sentence what does not go with a message. */
import type { CommentId } from "../domain/job/comment-id.ts";
import { likeliest, standingOf } from "../domain/job/follow-up.ts";
import type { EventIssue, EventRepository, SlashCommand } from "../domain/job/github-event.ts";
import { fullName, isFinal, issueOf, type Job, type JobId, sameRepository } from "../domain/job/job.ts";
import { isOnTheirs } from "../domain/job/target.ts";
import { EMPTY_ANSWER, EMPTY_MESSAGE, ONE_JOB } from "./comment-replies.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { JobStore } from "./ports/jobs.ts";

type Run = Extract<SlashCommand, { verb: "run" }>;

interface Needs {
  readonly store: { readonly jobs: Pick<JobStore, "load" | "ofIssue" | "ofPullRequest" | "openIn"> };
  readonly githubClient: Pick<GitHubClient, "pullRequest">;
}

/** Where a command was said. `comment_id` null: by a label. */
interface Place {
  readonly repository: EventRepository;
  readonly issue: Pick<EventIssue, "number" | "is_pull_request">;
  readonly comment_id: CommentId | null;
}

/** The job that this pull request is of. */
async function ownerOf({ store }: Needs, { repository, issue }: Place): Promise<Job | null> {
  if (!issue.is_pull_request) return null;
  const id = await store.jobs.ofPullRequest(fullName(repository), issue.number);
  const job = id === null ? null : ((await store.jobs.load(id))?.job ?? null);
  const isOver = job !== null && isOnTheirs(job) && standingOf(job) === null;
  return job !== null && !isOver && sameRepository(job.repository, repository) ? job : null;
}

/** The newest job of the issue, and the open ones. */
async function jobsOfIssue({ store }: Needs, { repository, issue }: Place): Promise<readonly Job[]> {
  const newest = await store.jobs.ofIssue(fullName(repository), issue.number);
  if (newest === null) return [];
  const stored = await store.jobs.load(newest);
  const open = await store.jobs.openIn(fullName(repository));
  const others = open.filter((job) => job.id !== newest && issueOf(job.origin) === issue.number);
  const all = [...(stored === null ? [] : [stored.job]), ...others];
  return all.filter((job) => sameRepository(job.repository, repository));
}

/** The job that `/job cancel` without a name is for: the only one under way here. Else which to name, in a sentence. */
export async function jobToCancel(needs: Needs, place: Place): Promise<JobId | null | { readonly sentence: string }> {
  if ((await ownerOf(needs, place)) !== null) return null;
  const all = (await jobsOfIssue(needs, place)).filter(({ status }) => !isFinal(status));
  const named = all.toSorted((a, b) => a.created_at - b.created_at).map(({ id }) => `\`/job cancel ${id}\``);
  if (all.length < 2) return all[0]?.id ?? null;
  return { sentence: `Several jobs of this issue are under way. Name the one that you mean: ${named.join(" or ")}.` };
}

/** The job that takes what is asked for here; null: a new one begins. `again`: another one is wanted. */
export async function followedJob(needs: Needs, place: Place, again = false): Promise<Job | null> {
  const { githubClient } = needs;
  const { repository, comment_id } = place;
  const owner = await ownerOf(needs, place);
  if (owner !== null || again) return owner;
  const here = await jobsOfIssue(needs, place);
  // the delivery may come twice
  const heard = here.find((job) => comment_id !== null && job.heard.includes(comment_id));
  if (heard !== undefined) return heard;
  for (const job of likeliest(here)) {
    if (standingOf(job) !== "in_review" || job.pull_request === null) return job;
    if ((await githubClient.pullRequest(repository, job.pull_request.number)).open) return job;
  }
  return null;
}

const named = ({ id }: Job): string => `Job \`${id}\``;

const AGAIN = "`/job --again <text>` starts another job.";

/** What every further request is told of the job that it may be for. */
export function standing(job: Job): string {
  switch (standingOf(job)) {
    case "asks":
      return `${named(job)} waits for an answer: \`/job <answer>\` goes to it. ${AGAIN}`;
    case "on_market":
      return `${named(job)} of this issue is on the market, where its task is fixed. ${AGAIN}`;
    case "in_review":
      return `${named(job)} of this issue has pull request #${job.pull_request?.number} open: \`/job <text>\` goes on there. ${AGAIN}`;
    default:
      return `${named(job)} of this issue is still open: \`/job <text>\` is a message to it. ${AGAIN}`;
  }
}

const flagsOf = ({ model, no_merge, draft, over_budget, market = null }: Run): readonly string[] => [
  ...(model === null ? [] : ["--model"]),
  ...(no_merge ? ["--no-merge"] : []),
  ...(draft ? ["--draft"] : []),
  ...(over_budget === undefined ? [] : ["--over-budget"]),
  ...(market === null ? [] : ["--market"]),
];

/** Why this cannot be a message to the job; null: it can. `place`: where it was said. */
export function notAMessage(command: Run, job: Job, place: "issue" | "pull request"): string | null {
  const [flag] = flagsOf(command);
  if (place === "pull request") {
    if (command.again || flag === "--market") return ONE_JOB;
    if (flag !== undefined && standingOf(job) !== null)
      return `\`${flag}\` is for a new job, and this pull request's job goes on as it was asked for. Leave the flag out: \`/job <text>\`.`;
    if (command.task !== "") return null;
    return standingOf(job) === "asks" ? EMPTY_ANSWER : EMPTY_MESSAGE;
  }
  if (flag !== undefined)
    return `\`${flag}\` is for a new job, so nothing was done. ${standing(job)} The flag goes with \`--again\`: \`/job --again ${flag} …\`.`;
  if (command.task === "" || standingOf(job) === "on_market") return standing(job);
  return null;
}

const hasSaidMore = ({ rounds, waiting_messages }: Job, login: string | null): boolean =>
  [...rounds.slice(1), ...waiting_messages].some(({ by }) => by === login);

/**
 * What is said of a message that somebody may have meant as a new job; null: it was an answer, or they know, and the job's
 * own comment shows it.
 */
export function messageTaken(before: Job, after: Job, login: string | null): string | null {
  if (standingOf(before) === "asks" || hasSaidMore(before, login)) return null;
  if (after.waiting_messages.length > 0)
    return `This is a message to job \`${after.id}\`, which is at work on this issue: its next round takes it up. ${AGAIN}`;
  const pull = after.pull_request === null ? "" : `, on pull request #${after.pull_request.number}`;
  return `Job \`${after.id}\` of this issue goes on with this${pull}. ${AGAIN}`;
}
