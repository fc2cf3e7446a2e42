/**
 * The state of a job's pull request on GitHub at one moment, read in one query at an exact head SHA. Facts are never
 * stored or merged with older ones: a verdict uses one reading.
 */
import type { RepositorySettings } from "../../contracts/settings.ts";

/** `cancelled`: nobody decided. */
export type CheckState = "success" | "failure" | "pending" | "neutral" | "skipped" | "action_required" | "cancelled";

export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** A rule on the base branch asks for it. */
  readonly required: boolean;
  /** GitHub's number of the App that made it; null: not known. */
  readonly app_id: number | null;
  /** The workflow run that it is of. Missing: of none. */
  readonly run_id?: number;
  /** One of ours: left out of the verdict, or it would wait for itself. */
  readonly ours: boolean;
  readonly url: string | null;
  /** What the check says of itself, cut to a few lines; untrusted text. */
  readonly summary: string | null;
}

/** A check that the rules of the base branch ask for. `app_id`: from that App alone; null: from whoever makes it. */
export interface RequiredCheck {
  readonly name: string;
  readonly app_id: number | null;
}

/** What GitHub's merge queue has of the pull request. */
export interface QueueFacts {
  /** The base branch takes merges through a merge queue alone. */
  readonly required: boolean;
  /** `position`: 1 is the next; null: not told. No entry: it is not in the queue. */
  readonly entry: { readonly position: number | null } | null;
  /** Why and when it last left the queue, as its timeline says; null: it never did. */
  readonly left: { readonly reason: string; readonly at: number } | null;
  /** Checks that have failed on the commit that the queue has tested; read only once it has left. */
  readonly failed: readonly Check[];
}

export interface Facts {
  /** GitHub's node of the pull request. */
  readonly pull_request_id: string;
  readonly head_sha: string;
  readonly state: "open" | "closed" | "merged";
  /** Login of who has merged it, for show; null: not known, or not merged. */
  readonly merged_by: string | null;
  /** GitHub's number of the person; null: likewise, or it was a program. */
  readonly merged_by_id: number | null;
  /** When, in milliseconds since the epoch; null: not merged. */
  readonly merged_at: number | null;
  readonly draft: boolean;
  /** Branch that it would be merged into now. */
  readonly base: string;
  /** The default branch has got another name since the job began, and the pull request is for it. */
  readonly base_renamed: boolean;
  /** The branch that the job is for exists no more. */
  readonly base_deleted: boolean;
  /** Head of `base`; null: not known. */
  readonly base_sha: string | null;
  /** `unknown`: GitHub is still computing it (github-facts 6.3). */
  readonly mergeable: "yes" | "conflict" | "unknown";
  /** GitHub's mergeStateStatus: CLEAN, BLOCKED, BEHIND, DIRTY, UNSTABLE, HAS_HOOKS, UNKNOWN. */
  readonly merge_state: string;
  readonly review: "approved" | "changes_requested" | "required" | "none";
  readonly auto_merge_enabled: boolean;
  readonly queue: QueueFacts;
  readonly checks: readonly Check[];
  /** The base branch's rules want signed commits; `unsigned`: of the pull request's, null where that is not read. */
  readonly signatures: { readonly required: boolean; readonly unsigned: number | null };
  /** What the base branch's rules require, without our own check. */
  readonly required: readonly RequiredCheck[];
  /** The rollup was longer than we read: then it is not green. */
  readonly checks_complete: boolean;
  /** Runs of the repository's workflows at the head that the job knows: those that go on, and those that are over. */
  readonly open_runs: readonly number[];
  readonly complete_runs: readonly number[];
  /** A workflow has begun on the pull request itself; those of one event begin together. */
  readonly ci_begun: boolean;
  /** Old paths of moved files included. */
  readonly changed_files: readonly string[];
  readonly changed_files_complete: boolean;
  readonly auto_merge_allowed: boolean;
  readonly deletes_branch_on_merge: boolean;
  /** Settings on the default branch now; `problem` when the file is broken and the last good ones stand in. */
  readonly settings: RepositorySettings;
  readonly settings_problem: string | null;
}
