/**
 * What the brief of a job says of the person's pull request that it works on: its changes, its open threads and the logs of
 * its failed checks. Or that the pull request cannot be worked on any more.
 */
import type { Brief } from "../../contracts/brief.ts";
import type { Effect } from "../../domain/job/effect.ts";
import { type Failing, failsTheSame, isForChecksAlone, type Theirs } from "../../domain/job/target.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { head } from "../../text/text.ts";
import * as stops from "../render/their-pull-request.ts";
import { readFailedLogs } from "./failed-logs.ts";
import { signatureOf } from "./failure-signature.ts";
import { reported, type Task } from "./task.ts";
import { changesOf, readTheirs, type TheirsRead } from "./their-pull-request.ts";

export interface OfTheirs {
  readonly failing: Failing | null;
  readonly failed_checks: Brief["failed_checks"];
  readonly their_pull_request: Brief["their_pull_request"];
}

type PushBrief = Extract<Effect, { type: "push-brief" }>;

/** Failing checks whose word is shown to the agent; a check without a log has a summary at best. */
const MAX_SHOWN = 10;
const MAX_NAME = 200;

/** Before asking again about a push that the pull request does not show yet. */
const UNSEEN_MS = 2_000;

/** Each failing check with the end of its log, or else with what it says of itself. */
function told({ failing }: TheirsRead, logs: Brief["failed_checks"]): Brief["failed_checks"] {
  const others = failing.filter(({ name }) => !logs.some((log) => log.name === name));
  return [...logs, ...others.map(({ name, summary }) => ({ name: head(name, MAX_NAME), log: summary ?? "" }))];
}

/** `base`: their head as the branch was read. */
export async function briefOfTheirs(
  task: Task,
  { round, attempt }: PushBrief,
  { number, branch, head_sha, ...target }: Theirs,
  base: string,
): Promise<OfTheirs | { readonly withdrawn: Attempt }> {
  const stopped = (sentence: string) => ({
    withdrawn: reported({ type: "work-stopped", round, attempt, sentence } as const),
  });
  const read = await readTheirs(task, number, true);
  if (!read.is_open) return stopped(stops.closed(number));
  if (head_sha !== null && base !== head_sha) return stopped(stops.moved(branch));
  if (read.head_sha !== base)
    return { withdrawn: { ended: "later", reason: "GitHub does not show the newest push yet.", after_ms: UNSEEN_MS } };
  if (read.failing.length === 0 && isForChecksAlone(task.job))
    return {
      withdrawn: reported({ type: "work-needless", round, attempt, sentence: stops.needless(read.seen.pending) }),
    };
  const failed = told(read, await readFailedLogs(task, read.logged));
  const signature = signatureOf(failed.map(({ name, log }) => ({ name, says: log })));
  const failing = signature === null ? null : { sha: base, signature };
  if (failsTheSame({ number, branch, head_sha, ...target }, failing))
    return stopped(stops.sameFailure(failed.map(({ name }) => name)));
  const files = await changesOf(task, number);
  return {
    failing,
    failed_checks: failed.slice(0, MAX_SHOWN),
    their_pull_request: {
      number,
      branch,
      title: read.title,
      files,
      more_files: Math.max(0, read.changed_files - files.length),
      threads: [...read.threads],
    },
  };
}
