/**
 * Effects: what a commit asks the outside world to do. Stored with the job in the same write and performed afterwards,
 * possibly more than once, so a performer must find what an earlier attempt left. What they render they read from the
 * job.
 */

import * as z from "zod";
import { replySchema } from "../../contracts/review.ts";
import { MERGE_METHODS } from "../../contracts/settings.ts";
import type { Pending, Wanted } from "../pending-effect.ts";
import { commentIdSchema } from "./comment-id.ts";
import type { EmittedEvent } from "./job-events.ts";

const sha = z.string();
const number = z.number().int().positive();
const method = z.enum(MERGE_METHODS);
/** Of which attempt it is. */
const attempt = { round: number, attempt: number };

export const gitHubEffectSchema = z
  .discriminatedUnion("type", [
    /** React to the comment that asked. */
    z.object({
      type: z.literal("react"),
      comment_id: commentIdSchema,
      content: z.enum(["eyes", "rocket", "confused"]),
    }),
    /** Push the brief as one commit: a new branch, or a further commit on the branch that is there. */
    z.object({
      type: z.literal("push-brief"),
      ...attempt,
      /** The repository's limits were not known when the job took its place. */
      unplaced: z.literal(true).exactOptional(),
    }),
    /** Make the sticky comment say what the job is now. */
    z.object({ type: z.literal("sync-comment") }),
    /** Tell the requester, in a comment of its own, that the job waits for a person. */
    z.object({ type: z.literal("mention-requester"), round: number }),
    /** Make the check run on the job's head say what the job is now. */
    z.object({ type: z.literal("sync-check") }),
    /** Make it show how far the run is, if GitHub's limits have room to spare. */
    z.object({ type: z.literal("show-progress") }),
    /** Make the comment show where the job stands in its line, if GitHub's limits have room to spare. */
    z.object({ type: z.literal("show-place") }),
    z.object({ type: z.literal("cancel-run"), run_id: number }),
    /** Read what the agent left on the branch. */
    z.object({ type: z.literal("read-result"), ...attempt }),
    /** Make a commit of what a worker of the market has handed in that no branch leads to, so that it can be read and never run. */
    z.object({ type: z.literal("show-files"), ...attempt }),
    /** Commit what a worker of the market has handed in to the job's branch. */
    z.object({ type: z.literal("deliver-files"), ...attempt }),
    /** Remove the job's folder from the branch and open (or keep) the pull request. */
    z.object({ type: z.literal("open-pull-request"), round: number }),
    /** Answer the review comments in their threads. */
    z.object({
      type: z.literal("answer-reviews"),
      ...attempt,
      /** GraphQL ids of the reviews. */
      reviews: z.array(z.string()).readonly(),
      replies: z.array(replySchema).readonly(),
    }),
    /** Resolve the threads of these comments, and ask the reviewers to look again if there is something to look at. */
    z.object({
      type: z.literal("resolve-threads"),
      round: number,
      reviews: z.array(z.string()).readonly(),
      done: z.array(number).readonly(),
      asks: z.boolean(),
    }),
    /** Give a new pull request the labels, assignee and reviewers that the settings name. */
    z.object({ type: z.literal("triage-pull-request") }),
    /** Commit the work to the branch of the person's pull request that the job works on. */
    z.object({ type: z.literal("push-to-pull-request"), ...attempt }),
    /** Read the facts for a verdict; `runs`: ask GitHub for these runs too, since their webhooks may be lost. */
    z.object({ type: z.literal("read-facts"), runs: z.array(number).readonly() }),
    /** Ask the judge what the work of this attempt is worth; `sha` null: it is words alone. */
    z.object({ type: z.literal("judge"), ...attempt, sha: sha.nullable() }),
    /** Run these workflow runs again, whose checks were cancelled. */
    z.object({ type: z.literal("rerun-checks"), runs: z.array(number).readonly() }),
    z.object({ type: z.literal("merge"), sha, method }),
    z.object({ type: z.literal("enable-auto-merge"), sha, method }),
    /** Put the pull request, named by GitHub's node, into the merge queue. */
    z.object({ type: z.literal("enqueue"), sha, pull_request_id: z.string() }),
    /** Take back what GitHub was told to merge by itself: out of the merge queue, or auto-merge off. */
    z.object({ type: z.literal("disable-auto-merge") }),
    /** Have GitHub merge the base into the branch, at this head alone. */
    z.object({ type: z.literal("update-branch"), sha }),
    z.object({ type: z.literal("close-pull-request") }),
    /** Close it if nobody has touched it since its job was last told. */
    z.object({ type: z.literal("expire-pull-request") }),
    z.object({ type: z.literal("delete-branch") }),
    /** Ask GitHub how a run stands whose webhooks may be lost. */
    z.object({ type: z.literal("read-run"), run_id: number.nullable() }),
  ])
  .readonly();

/** What is done on GitHub. */
export type GitHubEffect = z.output<typeof gitHubEffectSchema>;

/** Publishes what this commit has changed to subscribers. Contains the events, since the job may change meanwhile. */
export type PublishEvents = { readonly type: "announce"; readonly announcement: EmittedEvent };

export type Effect = GitHubEffect | PublishEvents;

export type EffectType = Effect["type"];

export const isPublishEvents = (effect: Effect): effect is PublishEvents => effect.type === "announce";
export const isOnGitHub = (effect: Effect): effect is GitHubEffect => effect.type !== "announce";

/** Two effects of one key are one: the later replaces the earlier, unless that is being performed. */
export function effectKey(effect: Effect): string {
  switch (effect.type) {
    case "push-brief":
    case "answer-reviews":
    case "read-result":
    case "show-files":
    case "deliver-files":
    case "push-to-pull-request":
      return `${effect.type}:${effect.round}.${effect.attempt}`;
    case "open-pull-request":
    case "mention-requester":
    case "resolve-threads":
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

/** A job's effect as it is asked for, and as it is stored with the job. */
export type WantedEffect = Wanted<Effect>;
export type PendingEffect = Pending<Effect>;

/** It only makes people see what the job is now. */
export const isShow = ({ type }: Effect): boolean =>
  type === "sync-comment" || type === "sync-check" || type === "show-progress" || type === "show-place";

/** Nobody waits for it: it is written together with what comes next. */
export const isHeldBack = ({ urgency, attempts }: PendingEffect): boolean => urgency !== "now" && attempts === 0;
