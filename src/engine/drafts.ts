/** What becomes a job when somebody asks for one on GitHub: the draft of it, for our own runners or for the market. */
import type { Draft } from "../job/command.ts";
import type { Signal, SignalIssue } from "../job/signal.ts";
import { titleOf } from "../job/title.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../wire/settings.ts";
import type { Estimate } from "./ports.ts";

type Asking = Extract<Signal, { type: "slash" | "label" }>;

/** What a job gets until its brief has been pushed with the repository's own limits. */
const DEFAULT_TIME_LIMIT_SECONDS = DEFAULT_REPOSITORY_SETTINGS.limits.minutes * 60;

const taskOf = (task: string, issue: SignalIssue): string => {
  const asked = `${issue.title}\n\n${issue.body}`.trim();
  return task === "" ? asked : `${task}\n\n---\nAsked for in #${issue.number}: ${asked}`;
};

/** `base_branch` null: the default branch. */
export function draftOf(signal: Asking, account: string, base_branch: string | null): Omit<Draft, "id"> {
  const asked = signal.type === "slash" && signal.command.verb === "run" ? signal.command : null;
  const { issue, repository } = signal;
  const { owner, name, id, installation_id } = repository;
  return {
    account,
    repository: { owner, name, id, installation_id },
    runner: "actions",
    origin:
      signal.type === "slash"
        ? { kind: "comment", issue: issue.number, comment_id: signal.comment_id }
        : { kind: "label", issue: issue.number },
    requester: signal.author,
    title: titleOf(asked?.task || issue.title),
    task: taskOf(asked?.task ?? "", issue),
    choices: {
      provider: null,
      model: asked?.model ?? null,
      no_merge: asked?.no_merge ?? false,
      draft: asked?.draft ?? false,
    },
    callback_url: null,
    base_branch,
    price_cents: 0,
    time_limit_seconds: DEFAULT_TIME_LIMIT_SECONDS,
  };
}

/** The same as an offer to the market: the price is the sender's word, the rest of it is estimated. */
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
