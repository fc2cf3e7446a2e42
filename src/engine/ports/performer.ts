/** Performs the effects of a commit on GitHub. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { Command } from "../../domain/job/command.ts";
import type { GitHubEffect } from "../../domain/job/effect.ts";
import type { Job } from "../../domain/job/job.ts";
import type { ObservedRepository } from "./repositories.ts";

/** How one try of an effect ended. */
export type Attempt =
  | {
      readonly ended: "done";
      readonly command?: Command;
      readonly log?: readonly LogLine[];
      /** What was learned of the repository on the way. */
      readonly repository?: ObservedRepository;
    }
  /** Worth another try; `after_ms` as GitHub asked for (`retry-after`). */
  | { readonly ended: "later"; readonly reason: string; readonly after_ms?: number };

/** Performs effects on GitHub. Calls, no decisions. `again`: an earlier try may have done it already, so look before acting. */
export interface Performer {
  perform(effect: GitHubEffect, job: Job, again: boolean): Promise<Attempt>;
}
