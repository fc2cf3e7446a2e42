/**
 * `/job fix` on a person's pull request: whether it can be worked on, and the draft of a job that does. Says no in a
 * sentence before there is a job.
 */
import type { Draft } from "../domain/job/command.ts";
import { standingOf } from "../domain/job/follow-up.ts";
import type { EventIssue, GitHubEvent } from "../domain/job/github-event.ts";
import { type Job, jobOfBranch } from "../domain/job/job.ts";
import type { RefusalCode } from "../domain/job/refusal.ts";
import { isOnTheirs } from "../domain/job/target.ts";
import { titleOf } from "../domain/job/title.ts";
import { SET_UP_BRANCH } from "../domain/repository/set-up.ts";
import { head } from "../text/text.ts";
import { FROM_FORK, SET_UP_FIRST } from "./comment-replies.ts";
import { draftOf, taskOf, taskSaid } from "./drafts.ts";
import { standing } from "./follow-up.ts";
import type { GitHubClient, PullRequestToFix } from "./ports/github.ts";

type Slash = Extract<GitHubEvent, { type: "slash" }>;

const FIX = /^fix(?=[\s.,:;!?]|$)[.,:;!?]*/i;

/** Words after `fix` that say no more than it does. */
const EMPTY = new Set(
  "a all build ci check checks failing failed failures it now please pls pr red test tests that the them this".split(
    " ",
  ),
);

/** The person's words after `fix`, empty if they say no more than it; null: something else was asked. */
export function fixAsked(event: Slash): string | null {
  if (!event.issue.is_pull_request || event.command.verb !== "run" || !FIX.test(event.command.task)) return null;
  const words = event.command.task.replace(FIX, "").trim();
  const saying = words.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  if (saying.every((word) => word === "" || EMPTY.has(word))) return "";
  return taskSaid({ ...event, command: { ...event.command, task: words } });
}

const FIX_UNDER_WAY =
  "A job works on this pull request already: its comment says how far it is. `/job fix <what you want>` asks it for more.";

/** What is said where nothing new is asked of the job that works on this pull request; null: there is none. */
export function underWay(job: Job | null): string | null {
  if (job === null || !isOnTheirs(job)) return null;
  return standingOf(job) === "asks" ? standing(job) : FIX_UNDER_WAY;
}

export type FixDraft =
  | { readonly draft: Omit<Draft, "id"> }
  | { readonly code: RefusalCode; readonly sentence: string };

const no = (sentence: string, code: RefusalCode = "invalid"): FixDraft => ({ code, sentence });

const MOST_NAMED = 10;
const MAX_NAME = 100;

const named = (names: readonly string[]): string => {
  const shown = names.slice(0, MOST_NAMED).map((name) => `\`${head(name.replace(/[`\s]+/g, " "), MAX_NAME)}\``);
  return names.length > MOST_NAMED ? `${shown.join(", ")} and ${names.length - MOST_NAMED} more` : shown.join(", ");
};

function nothingFails({ cancelled, pending }: PullRequestToFix): string {
  const how = "Say what to do with `/job fix <what you want>`.";
  if (pending > 0)
    return `No check of this pull request has failed so far, and some are not done. Ask again when they are. ${how}`;
  if (cancelled.length > 0)
    return `No check of this pull request has failed: ${named(cancelled)} was cancelled, so run it again on GitHub. ${how}`;
  return `No check of this pull request fails. ${how}`;
}

const titleFor = ({ number, title }: EventIssue, words: string): string =>
  titleOf(words === "" ? `Fix the checks of #${number}: ${title}` : words);

/** Why it cannot be worked on; null: it can. */
export function objection(pull: PullRequestToFix): FixDraft | null {
  if (pull.from_fork) return no(FROM_FORK, "forbidden");
  if (pull.state !== "open")
    return no(
      `This pull request is ${pull.state}, so there is nothing to fix on it. Ask for a new job with \`/job <what you want>\`.`,
    );
  if (pull.head_branch === SET_UP_BRANCH) return no(SET_UP_FIRST);
  if (pull.is_default_branch)
    return no(
      "This pull request comes from the default branch, which no job pushes to. Ask for it with `/job <what you want>` on an issue.",
    );
  if (jobOfBranch(pull.head_branch) !== null)
    return no(
      "This pull request comes from the branch of a job that is not known here any more. Open one from another branch.",
    );
  return null;
}

/** `words`: of `fixAsked`. */
export function fixDraft(event: Slash, words: string, account: string, pull: PullRequestToFix): FixDraft {
  const against = objection(pull);
  if (against !== null) return against;
  if (words === "" && pull.failing.length === 0) return no(nothingFails(pull));
  const { issue, command } = event;
  if (command.verb === "run" && command.market !== null)
    return no("A market job opens a pull request of its own. Leave out `--market` and `--price`.");
  const { number } = issue;
  const said = words === "" ? `Make the failing checks of this pull request pass: ${named(pull.failing)}.` : words;
  const draft = draftOf(event, account, pull.head_branch);
  return {
    draft: {
      ...draft,
      title: titleFor(issue, words),
      task: taskOf(said, issue),
      target: {
        number,
        url: pull.url,
        branch: pull.head_branch,
        ...(words === "" ? { only_checks: true } : {}),
      },
    },
  };
}

export const readDraft = async (
  { githubClient }: { readonly githubClient: Pick<GitHubClient, "pullRequestToFix"> },
  event: Slash,
  words: string,
  account: string,
): Promise<FixDraft> =>
  fixDraft(event, words, account, await githubClient.pullRequestToFix(event.repository, event.issue.number));
