/** Questions to GitHub that belong to no job, and what is left of its rate limits. */

import type { CommentId } from "../../domain/job/comment-id.ts";
import type { Repository } from "../../domain/job/job.ts";
import type { GitHubPerson } from "./accounts.ts";
import type { ObservedRepository } from "./repositories.ts";

export type Permission = "admin" | "write" | "read" | "none";

/** What somebody may do somewhere, and who has that name now; null: nobody. */
export interface Permitted {
  readonly permission: Permission;
  readonly person: GitHubPerson | null;
}

/** Direct questions and answers on GitHub that belong to no job. Throws when GitHub cannot be asked. */
export interface GitHubClient {
  permission(repository: Repository, login: string): Promise<Permitted>;
  /** How the person of this number is called now; null: there is none. */
  loginOf(repository: Repository, id: number): Promise<string | null>;
  /** What its default branch and the settings there are now; null when there is none. `known` has the last good settings. */
  repository(repository: Repository, known: ObservedRepository | null): Promise<ObservedRepository | null>;
  /** The same where a push may have changed the settings: its commit says what is wrong with them, or that they are mended. */
  settingsPushed(repository: Repository, known: ObservedRepository | null): Promise<ObservedRepository | null>;
  /** Where a pull request comes from; for `/job` on one that is not ours. */
  pullRequest(
    repository: Repository,
    number: number,
  ): Promise<{ readonly head_branch: string; readonly head_sha: string; readonly from_fork: boolean }>;
  /** `confused` is for those who may not command: said only while there is budget to spare. */
  react(repository: Repository, comment_id: CommentId, content: "eyes" | "confused"): Promise<void>;
  /** Answers once: a second call with the same `marker` on the same issue changes nothing when `again`. */
  reply(repository: Repository, issue: number, marker: string, body: string, again: boolean): Promise<void>;
  /** The installation of a repository, or null where the App is not installed. */
  installation(owner: string, name: string): Promise<{ readonly id: number } | null>;
  /** In how many milliseconds a job's first push could begin: GitHub's limits may leave no room before. */
  pushWait(installation_id: number): number;
  /** What we may do in this installation has changed: what was kept to sign in there is dropped. */
  forgetAccess(installation_id: number): void;
  /** Deliveries of the last three days that failed, newest first, and a way to have one sent again. */
  failedDeliveries(): Promise<readonly { readonly id: number; readonly guid: string }[]>;
  redeliver(id: number): Promise<void>;
}

/** What may still be asked of GitHub within one of its windows. */
export interface BudgetLeft {
  readonly window: string;
  readonly left: number;
  readonly limit: number;
}
