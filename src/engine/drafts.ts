/** Drafts a job from a command on GitHub, for the repository's own runners or the market. */

import { DEFAULT_REPOSITORY_SETTINGS } from "../contracts/settings.ts";
import { withIssue } from "../domain/job/asked-in.ts";
import type { Draft } from "../domain/job/command.ts";
import type { EventIssue, GitHubEvent } from "../domain/job/github-event.ts";
import { titleOf } from "../domain/job/title.ts";
import type { Estimate } from "./ports/estimates.ts";

type Asking = Extract<GitHubEvent, { type: "slash" | "label" }>;

/** Applies until the brief is pushed with the repository's own limit. */
const DEFAULT_TIME_LIMIT_SECONDS = DEFAULT_REPOSITORY_SETTINGS.limits.minutes * 60;

/** What is asked, with the issue or pull request that it was asked in. */
export const taskOf = (task: string, issue: EventIssue): string => {
  const asked = `${issue.title}\n\n${issue.body}`.trim();
  return task === "" ? asked : withIssue(task, issue.number, asked);
};

/** Paths that are shown to an agent; a path made of words could hold instructions. */
const PLAIN_PATH = /^[\w.@/+-]{1,200}$/;

/** The task, with the line of code that it was written on. */
export function taskSaid({ command, line }: Extract<GitHubEvent, { type: "slash" }>): string {
  const task = command.verb === "run" ? command.task : "";
  if (task === "" || line === undefined || !PLAIN_PATH.test(line.path)) return task;
  return `${task}\n\n---\nSaid of ${line.number === null ? "" : `line ${line.number} of `}${line.path} in the pull request.`;
}

/** `base_branch`: null for the default branch. */
export function draftOf(event: Asking, account: string, base_branch: string | null): Omit<Draft, "id"> {
  const asked = event.type === "slash" && event.command.verb === "run" ? event.command : null;
  const { issue, repository } = event;
  const { owner, name, id, installation_id } = repository;
  return {
    account,
    repository: { owner, name, id, installation_id },
    runner: "actions",
    origin:
      event.type === "slash"
        ? { kind: "comment", issue: issue.number, comment_id: event.comment_id }
        : { kind: "label", issue: issue.number },
    requester: event.author,
    title: titleOf(asked?.task || issue.title),
    task: taskOf(event.type === "slash" ? taskSaid(event) : "", issue),
    ...(issue.undiscussed ? { undiscussed: true } : {}),
    choices: {
      provider: null,
      model: asked?.model ?? null,
      no_merge: asked?.no_merge ?? false,
      draft: asked?.draft ?? false,
    },
    ...(asked?.over_budget === true ? { over_budget: true } : {}),
    callback_url: null,
    base_branch,
    price_cents: 0,
    time_limit_seconds: DEFAULT_TIME_LIMIT_SECONDS,
  };
}

/** The draft as a market offer: the sender sets the price, the rest is estimated. */
export function marketDraftOf(draft: Omit<Draft, "id">, price_cents: number, offer: Estimate): Omit<Draft, "id"> {
  return {
    ...draft,
    runner: "market",
    title: offer.title,
    price_cents,
    time_limit_seconds: offer.time_limit_seconds,
    offer: {
      description: offer.description,
      requirements: offer.requirements,
      skills: offer.skills,
      enclosure: null,
    },
  };
}
