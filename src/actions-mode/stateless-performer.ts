/**
 * The effect performer of Actions mode: saves a job before each effect, dispatches the run that a push does not start,
 * and adds Actions mode's remarks to comment and check.
 */

import type { GitHubEffect } from "../domain/job/effect.ts";
import type { Job, JobId } from "../domain/job/job.ts";
import type { Attempt, Performer } from "../engine/ports/performer.ts";
import type { Octokit } from "../github/client/octokit.ts";
import { startRun } from "./dispatch.ts";
import { plainTokenRemark, stuck, withRemarks } from "./remarks.ts";
import type { StateSession } from "./state-session.ts";

interface Needs {
  readonly performer: Performer;
  readonly session: StateSession;
  readonly octokit: Octokit;
  /** GITHUB_TOKEN: pushes start nothing. */
  readonly plain: boolean;
  readonly now: () => number;
}

export interface StatelessPerformer extends Performer {
  /** Why the last attempt of an effect of this job did not succeed. */
  reasonOf(id: JobId): string | null;
  /** From now on comment and check show that reason. */
  showReason(id: JobId): void;
}

const OTHER_FIRST: Attempt = { ended: "later", reason: "Another run works on this job." };

export function createStatelessPerformer({ performer, session, octokit, plain, now }: Needs): StatelessPerformer {
  const reasons = new Map<JobId, string>();
  const shownReasons = new Set<JobId>();

  const shown = (effect: GitHubEffect, job: Job): Job => {
    if (effect.type !== "sync-comment" && effect.type !== "sync-check" && effect.type !== "show-place") return job;
    const reason = shownReasons.has(job.id) ? reasons.get(job.id) : undefined;
    return withRemarks(job, [plain ? plainTokenRemark(job) : null, reason === undefined ? null : stuck(reason)]);
  };

  return {
    async perform(effect, job, again) {
      // a reaction is no more than a nod; all else must be found again if this process ends now
      if (effect.type !== "react") await session.open(job.id);
      if (session.conflicted()) return OTHER_FIRST;
      const outcome = await performer.perform(effect, shown(effect, job), again);
      const attempt = plain && effect.type === "push-brief" ? await startRun(octokit, job, outcome, now) : outcome;
      if (attempt.ended === "later") reasons.set(job.id, attempt.reason);
      return attempt;
    },
    reasonOf: (id) => reasons.get(id) ?? null,
    showReason: (id) => void shownReasons.add(id),
  };
}
