/** Performs a commit's effects on GitHub. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { Command } from "../../domain/job/command.ts";
import type { GitHubEffect } from "../../domain/job/effect.ts";
import type { Job } from "../../domain/job/job.ts";
import type { RepositoryCommand } from "../../domain/repository/command.ts";
import type { GitHubRepositoryEffect } from "../../domain/repository/effect.ts";
import type { ObservedRepository, RepositoryState } from "../../domain/repository/repository.ts";

/** A failed attempt that is worth a retry; `after_ms`: GitHub's `retry-after`. */
export interface Later {
  readonly ended: "later";
  readonly reason: string;
  readonly after_ms?: number;
}

/** The result of one attempt of a job's effect. */
export type Attempt =
  | {
      readonly ended: "done";
      readonly command?: Command;
      readonly log?: readonly LogLine[];
      /** Repository metadata that was observed on the way. */
      readonly repository?: ObservedRepository;
    }
  | Later;

/**
 * Performs effects on GitHub without deciding anything. `again`: an earlier attempt may have been applied, so look
 * before acting.
 */
export interface Performer {
  perform(effect: GitHubEffect, job: Job, again: boolean): Promise<Attempt>;
}

/** The result of one attempt of a repository's effect. */
export type RepositoryAttempt = { readonly ended: "done"; readonly command?: RepositoryCommand } | Later;

/** The same for the effects of repositories. */
export interface RepositoryPerformer {
  perform(effect: GitHubRepositoryEffect, repository: RepositoryState, again: boolean): Promise<RepositoryAttempt>;
}
