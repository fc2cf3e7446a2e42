/**
 * Effects: what a commit asks the world to do. Stored with the job in the same write, performed afterwards, possibly
 * more than once: whoever performs one must find what an earlier try left. What they render they read from the job.
 */

import type { CommentId } from "./comment-id.ts";
import type { EmittedEvent } from "./job-events.ts";

/** What is done on GitHub. */
export type GitHubEffect =
  /** React to the comment that asked. */
  | { readonly type: "react"; readonly comment_id: CommentId; readonly content: "eyes" | "rocket" | "confused" }
  /** Push the brief as one commit: a new branch, or a further commit on the branch that is there. */
  | { readonly type: "push-brief"; readonly round: number; readonly try: number }
  /** Make the sticky comment say what the job is now. */
  | { readonly type: "sync-comment" }
  /** Make the check run on the job's head say what the job is now. */
  | { readonly type: "sync-check" }
  /** Make it show how far the run is, if GitHub's limits have room to spare. */
  | { readonly type: "show-progress" }
  | { readonly type: "cancel-run"; readonly run_id: number }
  /** Read what the agent left on the branch. */
  | { readonly type: "read-result"; readonly round: number; readonly try: number }
  /** Make a commit of what a worker of the market has handed in that no branch leads to, so that it can be read and never run. */
  | { readonly type: "show-files"; readonly round: number; readonly try: number }
  /** Commit what a worker of the market has handed in to the job's branch. */
  | { readonly type: "deliver-files"; readonly round: number; readonly try: number }
  /** Remove the job's folder from the branch and open (or keep) the pull request. */
  | { readonly type: "open-pull-request"; readonly round: number }
  /** Read the facts for a verdict; `runs`: ask GitHub for these runs too, since their webhooks may be lost. */
  | { readonly type: "read-facts"; readonly runs: readonly number[] }
  /** Ask the judge what the work of this try is worth; `sha` null: it is words alone. */
  | { readonly type: "judge"; readonly round: number; readonly try: number; readonly sha: string | null }
  | { readonly type: "merge"; readonly sha: string; readonly method: "merge" | "squash" | "rebase" }
  | { readonly type: "enable-auto-merge"; readonly sha: string; readonly method: "merge" | "squash" | "rebase" }
  | { readonly type: "disable-auto-merge" }
  | { readonly type: "close-pull-request" }
  | { readonly type: "delete-branch" }
  /** Ask GitHub how a run stands whose webhooks may be lost. */
  | { readonly type: "read-run"; readonly run_id: number | null };

/** Tell those who want to hear of it what this commit has changed. Holds its words, since the job goes on meanwhile. */
export type PublishEvents = { readonly type: "announce"; readonly announcement: EmittedEvent };

export type Effect = GitHubEffect | PublishEvents;

export type EffectType = Effect["type"];

export const isPublishEvents = (effect: Effect): effect is PublishEvents => effect.type === "announce";
export const isOnGitHub = (effect: Effect): effect is GitHubEffect => effect.type !== "announce";

/** Two effects of one key are one: the later replaces the earlier, unless that is being performed. */
export function effectKey(effect: Effect): string {
  switch (effect.type) {
    case "push-brief":
    case "read-result":
    case "show-files":
    case "deliver-files":
      return `${effect.type}:${effect.round}.${effect.try}`;
    case "open-pull-request":
      return `${effect.type}:${effect.round}`;
    case "react":
      return `${effect.type}:${effect.comment_id}:${effect.content}`;
    case "cancel-run":
      return `${effect.type}:${effect.run_id}`;
    case "announce":
      // of one commit each: none replaces another
      return `${effect.type}:${effect.announcement.version}`;
    default:
      return effect.type;
  }
}

/** An effect as it is asked for: `not_before` holds it back, in milliseconds since the epoch. */
export interface WantedEffect {
  readonly effect: Effect;
  readonly not_before: number;
}

/** An effect as it is stored with its job. `serial` tells a replaced one from its successor. */
export interface PendingEffect extends WantedEffect {
  readonly key: string;
  readonly serial: number;
  /** Tries that have ended in a failure. */
  readonly attempts: number;
}
