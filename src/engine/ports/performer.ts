/** Performs a commit's effects on GitHub. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { Command } from "../../domain/job/command.ts";
import type { GitHubEffect } from "../../domain/job/effect.ts";
import type { Job } from "../../domain/job/job.ts";
import type { ObservedRepository } from "./repositories.ts";

/** The result of one attempt of an effect. */
export type Attempt =
  | {
      readonly ended: "done";
      readonly command?: Command;
      readonly log?: readonly LogLine[];
      /** Repository metadata that was observed on the way. */
      readonly repository?: ObservedRepository;
    }
  /** Worth a retry; `after_ms`: GitHub's `retry-after`. */
  | { readonly ended: "later"; readonly reason: string; readonly after_ms?: number };

/**
 * Performs effects on GitHub without deciding anything. `again`: an earlier attempt may have been applied, so look
 * before acting.
 */
export interface Performer {
  perform(effect: GitHubEffect, job: Job, again: boolean): Promise<Attempt>;
}
