/** Requests to GitHub that belong to no job, and the remaining rate limits. */

import type { CommentId } from "../../domain/job/comment-id.ts";
import type { Repository } from "../../domain/job/job.ts";
import type { MissingConsent } from "../../domain/repository/findings.ts";
import type { IdentifiedRepository, ObservedRepository, SetUpFacts } from "../../domain/repository/repository.ts";
import type { GitHubPerson } from "./accounts.ts";

export type Permission = "admin" | "write" | "read" | "none";

/** A person's permission and number; null when the login does not exist. */
export interface Permitted {
  readonly permission: Permission;
  readonly person: GitHubPerson | null;
}

export interface InstalledRepository extends IdentifiedRepository {
  readonly archived: boolean;
  readonly fork: boolean;
}

export interface PullRequestToFix {
  readonly title: string;
  readonly head_sha: string;
  /** The bot that has opened it, with `[bot]` as in webhooks; null: somebody else has. */
  readonly bot: { readonly id: number; readonly login: string } | null;
  readonly state: "open" | "closed" | "merged";
  readonly url: string;
  readonly head_branch: string;
  /** Of another repository, or of one that was deleted. */
  readonly from_fork: boolean;
  readonly is_default_branch: boolean;
  /** Names of the checks that failed and that were cancelled, and how many are not done. */
  readonly failing: readonly string[];
  readonly cancelled: readonly string[];
  readonly pending: number;
}

/** Requests that belong to no job. Throws when GitHub does not answer. */
export interface GitHubClient {
  permission(repository: Repository, login: string): Promise<Permitted>;
  /** The current login of this number; null when there is none. */
  loginOf(repository: Repository, id: number): Promise<string | null>;
  /**
   * Default branch and current settings; null when the repository does not exist. `known`: has the last valid settings.
   */
  repository(repository: Repository, known: ObservedRepository | null): Promise<ObservedRepository | null>;
  /** The source of a pull request, and how it stands, for `/job` on one that is not ours. */
  pullRequest(
    repository: Repository,
    number: number,
  ): Promise<{
    readonly head_branch: string;
    readonly head_sha: string;
    readonly from_fork: boolean;
    readonly merged: boolean;
    readonly open: boolean;
  }>;
  /** A submitted review; null when there is none. */
  review(
    repository: Repository,
    pull_request: number,
    id: number,
  ): Promise<{ readonly node_id: string; readonly asks_for_changes: boolean } | null>;
  /** A person's pull request that a job is asked to work on. */
  pullRequestToFix(repository: Repository, number: number): Promise<PullRequestToFix>;
  /** `confused` is for people without permission and is sent on a best-effort basis. */
  react(repository: Repository, comment_id: CommentId, content: "eyes" | "confused"): Promise<void>;
  /** Replies once: a second call with the same `marker` on the same issue has no effect when `again` is set. */
  reply(repository: Repository, issue: number, marker: string, body: string, again: boolean): Promise<void>;
  /** What the doctor looks at; `facts` null: the repository is not visible. */
  examine(repository: Repository): Promise<{
    readonly facts: SetUpFacts | null;
    readonly missing: MissingConsent | null;
    /** GitHub's page for the workflow file, filled in. */
    readonly new_file_url?: string;
  }>;
  /** The page of the last run that fills the repository's cache, where it failed; null: it did not, or there was none. */
  failedCacheFill(repository: Repository, default_branch: string): Promise<string | null>;
  /** All repositories of an installation, at most 10,000. */
  installedRepositories(installation_id: number): Promise<readonly InstalledRepository[]>;
  /** The repository's installation; null where the App is not installed. */
  installation(owner: string, name: string): Promise<{ readonly id: number } | null>;
  /** The repository of this number; null where there is none or the App is not installed. */
  repositoryById(id: number): Promise<IdentifiedRepository | null>;
  /** Milliseconds until GitHub's rate limits, and its advice for the repository, allow a job's first push. */
  pushWait(repository: Repository): number;
  /** Whether its installation has used half of the writes that GitHub allows in an hour. */
  isShortOfWrites(installation_id: number): boolean;
  /** Drops cached tokens after the installation's permissions changed. */
  forgetAccess(installation_id: number): void;
  /** Failed deliveries of the last three days, newest first, and a way to request redelivery. */
  failedDeliveries(): Promise<readonly { readonly id: number; readonly guid: string }[]>;
  redeliver(id: number): Promise<void>;
}

/** The rest of one of GitHub's rate-limit windows. */
export interface BudgetLeft {
  readonly window: string;
  readonly left: number;
  readonly limit: number;
}
