/**
 * GitHub events: what a webhook means for jobs, small enough to store until it is processed. `src/github/events`
 * creates them from payloads without calls; the engine turns them into commands.
 */
import type { TriggerNews } from "../repository/trigger-news.ts";
import type { Command } from "./command.ts";
import type { CommentId } from "./comment-id.ts";
import type { EventIssue } from "./event-issue.ts";
import type { JobId, RaisedLimits } from "./job.ts";

export type { EventIssue } from "./event-issue.ts";

export interface EventRepository {
  readonly owner: string;
  readonly name: string;
  readonly id: number;
  readonly installation_id: number;
}

/** A commit of a pull request of this repository whose check has failed. */
export interface FailedPull {
  readonly sha: string;
  /** Who started the run, by pushing; null: GitHub does not say. */
  readonly actor: { readonly id: number; readonly is_bot: boolean } | null;
}

/** The job that a command names; missing: the newest one of where it was said. */
interface OfJob {
  readonly job?: JobId;
}

export type SlashCommand =
  /** `task` empty: the issue itself is the task. While a job of the issue or pull request is open: a message to it. */
  | {
      readonly verb: "run";
      readonly task: string;
      readonly model: string | null;
      readonly no_merge: boolean;
      readonly draft: boolean;
      /** For the market, at this price; null: for the repository's own runners. */
      readonly market: { readonly price_cents: number } | null;
      /** Another job, whatever is open of the issue. Missing unless so. */
      readonly again?: true;
      /** Beyond the repository's budget. Missing unless so. */
      readonly over_budget?: true;
    }
  | ({ readonly verb: "status" | "cancel" | "pay" } & OfJob)
  | ({ readonly verb: "retry"; readonly raised?: RaisedLimits; readonly over_budget?: true } & OfJob)
  /** `commit`: of the files that were read, or how its name begins. */
  | ({ readonly verb: "run-checks" | "approve"; readonly commit?: string } & OfJob)
  | { readonly verb: "help" | "doctor" | "usage" }
  | { readonly verb: "schedules" }
  /** `schedule`: its name; null: all that are paused. */
  | { readonly verb: "resume"; readonly schedule: string | null }
  /** The sender sends a worker's work back; `reason` may be empty. */
  | ({ readonly verb: "reject"; readonly reason: string } & OfJob)
  /**
   * Understood as a command, but not as a valid one; `sentence` says what was probably meant. `answer`: what it says where a
   * job asks, as in `/job no`.
   */
  | { readonly verb: "mistaken"; readonly sentence: string; readonly answer?: string };

/** `number` null: the line is in the file no more. */
export interface LineOfFile {
  readonly path: string;
  readonly number: number | null;
}

/** `node_id`: GraphQL's; missing where the command stands in one of the review's comments. */
export interface ReviewOfCommand {
  readonly id: number;
  readonly node_id?: string;
}

/** `author_id`: GitHub's number of the author. Missing in events that an earlier version has stored. */
export type GitHubEvent =
  /** A person asks in a comment. Permission is not checked yet. */
  | {
      readonly type: "slash";
      readonly repository: EventRepository;
      readonly issue: EventIssue;
      readonly comment_id: CommentId;
      readonly author: string;
      readonly author_id?: number;
      readonly command: SlashCommand;
      /** The line of a pull request that it was said of. */
      readonly line?: LineOfFile;
      /** The review that it stands in. */
      readonly review?: ReviewOfCommand;
      /** Said in a review that approves or refuses: what a merge waits for may have changed, too. */
      readonly reviewed?: true;
    }
  /** A person's review asks for changes on a job's open pull request. Permission is not checked yet. */
  | {
      readonly type: "review";
      readonly repository: EventRepository;
      readonly job: JobId;
      readonly pull_request: number;
      readonly review: { readonly id: number; readonly node_id: string };
      readonly author: string;
      readonly author_id: number;
    }
  /** The label `job` was put on an issue. Permission of the sender is not checked yet. */
  | {
      readonly type: "label";
      readonly repository: EventRepository;
      readonly issue: EventIssue;
      readonly author: string;
      readonly author_id?: number;
    }
  /** A button of our check run, or "Re-run". Permission of the sender is not checked yet. */
  | {
      readonly type: "button";
      readonly repository: EventRepository;
      readonly job: JobId;
      readonly action: "retry" | "discard" | "run-checks";
      /** Of `run-checks`: how the name of the files' commit begins. */
      readonly commit?: string;
      readonly author: string;
      readonly author_id?: number;
    }
  /** News of one job; the engine checks that the job lives in this repository. */
  | { readonly type: "news"; readonly repository: EventRepository; readonly job: JobId; readonly command: Command }
  /** News of pull requests that are on no job's branch; one of them may be what a worker of the market has handed in. */
  | {
      readonly type: "pull-news";
      readonly repository: EventRepository;
      readonly numbers: readonly number[];
      readonly command: Command;
      /** The new head of one from a fork, whose files are for the default branch. */
      readonly fork_head?: string;
      readonly failed?: FailedPull;
    }
  /**
   * The default branch moved. `settings_changed`: what we keep of the repository must be read again.
   * `lock_files_changed`: its cache may be of other lock files.
   */
  | {
      readonly type: "default-branch-moved";
      readonly repository: EventRepository;
      readonly branch: string;
      readonly head_sha: string;
      readonly tree_sha: string;
      readonly settings_changed: boolean;
      readonly lock_files_changed: boolean;
    }
  /** Another branch moved, or was deleted; jobs may be for it. */
  | {
      readonly type: "branch-moved";
      readonly repository: EventRepository;
      readonly branch: string;
      readonly deleted: boolean;
    }
  /** Another branch than the default one was given a new settings or workflow file; a fork's maybe. */
  | {
      readonly type: "files-pushed";
      readonly repository: EventRepository;
      readonly head_sha: string;
      readonly branch?: string;
      /** The pull request that brings the fork's. */
      readonly pull_request?: number;
    }
  /** What we keep of these repositories is no longer sure (installed, renamed, permissions changed). */
  | {
      readonly type: "repositories-changed";
      readonly installation_id: number;
      readonly added: readonly { readonly owner: string; readonly name: string; readonly id: number }[];
      readonly removed: readonly { readonly owner: string; readonly name: string; readonly id: number }[];
      /** The App was installed, or got more repositories: those may have to be set up. */
      readonly installs?: true;
    }
  /** Somebody did something to the branch or the pull request that sets the repository up. */
  | {
      readonly type: "set-up-changed";
      readonly repository: EventRepository;
      /** Whether the box in the pull request's text is ticked, by which the merge begins a first job. */
      readonly first_job?: boolean;
      /** A person has merged the pull request. */
      readonly merged?: { readonly pull_request: number; readonly author: string; readonly author_id: number };
      /** The branch's head, where it brings a new settings or workflow file. */
      readonly brings_files?: string;
    }
  /** Something that the repository's triggers may start jobs for. Permission of its author is not checked yet. */
  | { readonly type: "trigger-news"; readonly repository: EventRepository; readonly news: TriggerNews }
  | { readonly type: "uninstalled"; readonly installation_id: number };

/** What the inbound side makes of a delivery. */
export type TranslatedEvent =
  | { readonly kind: "event"; readonly event: GitHubEvent }
  /** Nothing to do, and why: for the log and the tests. */
  | { readonly kind: "ignored"; readonly reason: string };
