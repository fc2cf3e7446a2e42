/** Builds a brief from the job and the repository's settings: its two files and the commit message. Makes no calls. */

import {
  type Brief,
  CONFIG_FILE,
  jobFolder,
  LOG_FILE,
  PARTIAL_TRAILER,
  RESULT_FILE,
  RUN_COMMIT_PREFIX,
  TASK_FILE,
} from "../../contracts/brief.ts";
import { IMAGE_FILE } from "../../contracts/images.ts";
import { redact } from "../../contracts/redact.ts";
import type { Review } from "../../contracts/review.ts";
import type { RepositorySettings } from "../../contracts/settings.ts";
import { isOnActions, issueOf, type Job } from "../../domain/job/job.ts";
import { isOfQueueRound } from "../../domain/job/merge-queue.ts";
import { capInBrief, limitsOf } from "../../domain/job/raised-limits.ts";
import { wantsSignedCommits } from "../../domain/job/signatures.ts";
import { expandGlob, globMistake } from "../../text/glob.ts";
import { head } from "../../text/text.ts";
import { commitLine } from "../render/plain.ts";
import { type BriefContext, NO_CONTEXT } from "./brief-context.ts";

/** Prefix of a market job's head commits; it starts no workflow run. */
export const POST_COMMIT_PREFIX = "Post job ";

export interface BriefBase {
  readonly branch: string;
  readonly sha: string;
}

export interface AttemptRef {
  readonly round: number;
  readonly attempt: number;
}

/** Files of an earlier attempt, which the next one must not mistake for its own. */
export const LEFTOVERS = [RESULT_FILE, LOG_FILE] as const;

const leftoversOf = ({ present, context = NO_CONTEXT }: BriefBaseCommit): string[] => [
  ...LEFTOVERS.filter((name) => present.includes(name)),
  ...present.filter((name) => IMAGE_FILE.test(name) && !context.images.some(({ file }) => file === name)),
];

/** Earlier rounds that a brief includes, and the length of each text; they are part of every commit and prompt. */
const MAX_HISTORY_ROUNDS = 5;
const MAX_HISTORY_TEXT = 4_000;

const told = (text: string): string => head(redact(text), MAX_HISTORY_TEXT);

const prefixOf = (job: Job): string => `${isOnActions(job) ? RUN_COMMIT_PREFIX : POST_COMMIT_PREFIX}${job.id}`;

const trailerOf = (attemptRef: AttemptRef): string => `Job-Try: ${attemptRef.round}.${attemptRef.attempt}`;

/**
 * A partial checkout is announced in the message, since the checkout happens before the brief can be read. `seal`: a line
 * with its end, or nothing.
 */
export const briefMessage = (job: Job, attemptRef: AttemptRef, settings: RepositorySettings, seal: string): string => {
  const partial = settings.checkout_paths.length > 0 ? `${PARTIAL_TRAILER}\n` : "";
  return `${prefixOf(job)}: ${commitLine(redact(job.title))}\n\n${partial}${seal}${trailerOf(attemptRef)}\n`;
};

/** Whether this is the message of our brief for this attempt. */
export const isBriefMessage = (message: string, job: Job, attemptRef: AttemptRef): boolean =>
  message.startsWith(`${prefixOf(job)}:`) && message.trimEnd().endsWith(trailerOf(attemptRef));

/** Inputs of a brief besides the job. */
export interface BriefBaseCommit {
  readonly base: BriefBase;
  readonly settings: RepositorySettings;
  /** Names in the job's folder; leftovers of the last attempt among them are deleted. */
  readonly present: readonly string[];
  readonly failed_checks: Brief["failed_checks"];
  readonly reviews: readonly Review[];
  /** Missing: the job has a pull request of its own. */
  readonly their_pull_request?: Brief["their_pull_request"];
  readonly llm: Brief["llm"];
  /** Missing: there is none. */
  readonly context?: BriefContext;
}

/** What a brief says about the server that writes it. */
export interface BriefSender {
  /** The server's public address; null when it has none. */
  readonly publicUrl: string | null;
}

/** The merge queue tests the work on top of the base; and what conflicts with the base cannot be merged. */
const mergesBase = (job: Job, attemptRef: AttemptRef): boolean =>
  isOnActions(job) && (job.catch_up.conflicts || isOfQueueRound(job, attemptRef));

function briefOf(job: Job, attemptRef: AttemptRef, baseCommit: BriefBaseCommit, { publicUrl }: BriefSender): Brief {
  const { base, settings, failed_checks, reviews, llm, context = NO_CONTEXT } = baseCommit;
  const limits = limitsOf(job, settings);
  const minutes = isOnActions(job) ? limits.minutes : Math.min(limits.minutes, job.time_limit_seconds / 60);
  return {
    version: 1,
    id: job.id,
    repository: `${job.repository.owner}/${job.repository.name}`,
    branch: job.branch,
    base,
    ...(mergesBase(job, attemptRef) ? { merge_base: true } : {}),
    ...(wantsSignedCommits(settings) ? { signed_commits: true } : {}),
    title: redact(job.title),
    runner: job.work.kind,
    requester: job.requester,
    llm,
    limits: { minutes, turns: limits.turns, cost_cents: capInBrief(job, settings) },
    ...(isOnActions(job) && job.reserved?.budgeted === true ? { budgeted: true } : {}),
    instructions: settings.instructions,
    forbidden_paths: settings.forbidden_paths.flatMap((glob) =>
      globMistake(glob) === null ? expandGlob(glob) : [glob],
    ),
    checkout_paths: settings.checkout_paths,
    egress: settings.egress ?? null,
    container: isOnActions(job) ? (settings.container ?? null) : null,
    cache: isOnActions(job) ? (settings.cache ?? null) : null,
    attempt: attemptRef.attempt,
    round: attemptRef.round,
    issue: issueOf(job.origin),
    pull_request: job.pull_request?.number ?? null,
    app_url: isOnActions(job) ? publicUrl : null,
    failure: job.failure === null ? null : redact(job.failure),
    failed_checks,
    discussion: [...context.discussion],
    discussion_notes: [...context.discussion_notes],
    images: [...context.images],
    missing_attachments: [...context.missing_attachments],
    trigger_values: [...job.trigger_values],
    reviews: [...reviews],
    their_pull_request: baseCommit.their_pull_request ?? null,
    history: job.rounds
      .slice(0, -1)
      .slice(-MAX_HISTORY_ROUNDS)
      .map(({ asked, did, is_question }) => ({
        ...{ asked: told(asked), did: told(did) },
        ...(is_question === undefined ? {} : { is_question }),
      })),
  };
}

/** A file that the brief's commit adds below the job's folder. */
export interface BriefFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What the brief's commit changes. */
export interface BriefFiles {
  readonly files: readonly BriefFile[];
  /** Paths of earlier attempts' files. */
  readonly removed: readonly string[];
}

/** The files of the brief without what comes beside it. */
export function briefFiles(
  job: Job,
  attemptRef: AttemptRef,
  baseCommit: BriefBaseCommit,
  sender: BriefSender,
): BriefFiles {
  const pathOf = (name: string): string => `${jobFolder(job.id)}/${name}`;
  const file = (name: string, text: string): BriefFile => ({ path: pathOf(name), bytes: Buffer.from(`${text}\n`) });
  const asked = redact(job.rounds.at(-1)?.asked ?? job.task);
  const config = JSON.stringify(briefOf(job, attemptRef, baseCommit, sender), null, 2);
  const images = (baseCommit.context?.files ?? []).map(({ name, bytes }) => ({ path: pathOf(name), bytes }));
  return {
    files: [file(TASK_FILE, asked.trimEnd()), file(CONFIG_FILE, config), ...images],
    removed: leftoversOf(baseCommit).map(pathOf),
  };
}
