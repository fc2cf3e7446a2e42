/** What can happen to a repository: news from GitHub, from its jobs, and outcomes of its effects. */
import type { BudgetSeen } from "./budget-notices.ts";
import type { RepositoryEffect } from "./effect.ts";
import type { IdentifiedRepository, ObservedRepository, RunProblem, SetUpFacts } from "./repository.ts";
import type { ScheduleCommand } from "./schedules.ts";
import type { TriggerFired } from "./trigger-events.ts";
import type { TriggerCommand } from "./triggers.ts";

/** The last valid settings, and what is wrong with the newest. */
export type SettingsRead = Pick<ObservedRepository, "id" | "settings" | "settings_problem" | "automation">;

export type RepositoryCommand =
  /** It is accessible, maybe under another name or installation; what was known of its default branch is not sure any more. */
  | { readonly type: "installed"; readonly repository: IdentifiedRepository }
  /** It is not accessible any more. */
  | { readonly type: "removed" }
  /** It is the turn of this repository, whose files nobody has read, to have them read. */
  | { readonly type: "first-reading-due" }
  /** There is nothing to read in it: no commit. */
  | { readonly type: "files-absent" }
  /** Its default branch was read. */
  | { readonly type: "observed"; readonly repository: ObservedRepository }
  /** Its settings were read after a push. */
  | { readonly type: "settings-read"; readonly settings: SettingsRead }
  /**
   * Its default branch moved. `files_changed`: the settings or the workflow file may be among the changes;
   * `lock_files_changed`: lock files may be.
   */
  | {
      readonly type: "pushed";
      readonly repository: IdentifiedRepository;
      readonly branch: string;
      readonly head_sha: string;
      readonly tree_sha: string;
      readonly files_changed: boolean;
      readonly lock_files_changed: boolean;
    }
  /** A commit of another branch brings a new settings or workflow file; one of a fork's pull request maybe. */
  | {
      readonly type: "files-pushed";
      readonly repository: IdentifiedRepository;
      readonly sha: string;
      readonly pull_request?: number;
    }
  /** An event of it, of whatever kind: a reason to look at the set-up of a repository that was never looked at. */
  | { readonly type: "seen"; readonly repository: IdentifiedRepository }
  /** Something happened to the set-up pull request or its branch. `first_job`: whether the box in its text is ticked. */
  | { readonly type: "set-up-changed"; readonly first_job?: boolean }
  /** The outcome of `read-set-up`; null: the repository is not visible. */
  | { readonly type: "set-up-read"; readonly facts: SetUpFacts | null }
  | { readonly type: "set-up-offered"; readonly pull_request: number }
  /** GitHub does not let us open it. */
  | { readonly type: "set-up-refused" }
  | { readonly type: "set-up-shown" }
  /** A run was started that fills its cache. */
  | { readonly type: "cache-fill-started" }
  | TriggerCommand
  | TriggerFired
  | BudgetSeen
  | ScheduleCommand
  /** A run of a job has begun. */
  | { readonly type: "run-seen"; readonly url: string | null }
  /** A run of a job came to its end; `problem` null: it came back with a result. */
  | { readonly type: "run-ended"; readonly problem: RunProblem | null }
  /** An effect was given up. */
  | { readonly type: "effect-abandoned"; readonly effect: RepositoryEffect }
  /** Time has passed. */
  | { readonly type: "tick" };
