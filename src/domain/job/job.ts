/**
 * The job: what is known of one piece of work, whoever does it. Plain data, stored as it stands.
 * Times are milliseconds since the epoch, money is integer US cents.
 */
import { JOB_ID_PATTERN } from "../../contracts/brief.ts";
import type { Outcome, PermanentError, Usage } from "../../contracts/result.ts";
import type { RepositorySettings } from "../../contracts/settings.ts";
import type { CommentId } from "./comment-id.ts";
import type { JobOutcome } from "./outcome.ts";
import type { Reason } from "./reason.ts";
import type { Spent } from "./usage.ts";

declare const brand: unique symbol;

/** Eight lower-case letters and digits. */
export type JobId = string & { readonly [brand]: "JobId" };

/** The id in this text, or null when it is not one. */
export const asJobId = (text: string): JobId | null => (JOB_ID_PATTERN.test(text) ? (text as JobId) : null);

const BRANCH_PREFIX = "job/";

export const branchOf = (id: JobId): string => `${BRANCH_PREFIX}${id}`;

/** The job that a branch belongs to, by its name alone; null for every other branch. */
export const jobOfBranch = (branch: string): JobId | null =>
  branch.startsWith(BRANCH_PREFIX) ? asJobId(branch.slice(BRANCH_PREFIX.length)) : null;

export const STATUSES = [
  "pending_payment",
  "queued",
  "held",
  "accepted",
  "submitted",
  "verified",
  "cancelled",
  "failed",
] as const;
export type Status = (typeof STATUSES)[number];

/** No money waits and nobody works on a job in these; a message or a retry may still open a further round. */
export const isFinal = (status: Status): boolean =>
  status === "verified" || status === "cancelled" || status === "failed";

export type Runner = "actions" | "market";

export interface Repository {
  readonly owner: string;
  readonly name: string;
  /** GitHub's number, which outlives a name. Missing: not known, as in records of an earlier version. */
  readonly id?: number;
  readonly installation_id: number;
}

export const fullName = (repository: { readonly owner: string; readonly name: string }): string =>
  `${repository.owner}/${repository.name}`;

export type Named = Pick<Repository, "owner" | "name" | "id">;

/** By GitHub's numbers; by name, without regard to case as GitHub does, where one of them has none. */
export const sameRepository = (a: Named, b: Named): boolean =>
  a.id !== undefined && b.id !== undefined ? a.id === b.id : sameName(a, b);

/** A name as it is written, with the number that is known of it. */
export function namedRepository(full_name: string, id: number | null): Named {
  const [owner = "", name = ""] = full_name.split("/");
  return { owner, name, ...(id === null ? {} : { id }) };
}

export const sameName = (a: Named, b: Named): boolean => fullName(a).toLowerCase() === fullName(b).toLowerCase();

/** Where the job came from, so that answers go back there. */
export type Origin =
  | { readonly kind: "comment"; readonly issue: number; readonly comment_id: CommentId }
  | { readonly kind: "label"; readonly issue: number }
  | { readonly kind: "rest"; readonly dialect: "create-job" | "market" | "agent-v2"; readonly key_id: string | null }
  | { readonly kind: "cron"; readonly name: string };

/** The issue or pull request in which the job was asked for and in which its comment stands; null without one. */
export const issueOf = (origin: Origin): number | null =>
  origin.kind === "comment" || origin.kind === "label" ? origin.issue : null;

/** What the sender chose against the repository's settings. */
export interface Choices {
  readonly provider: string | null;
  readonly model: string | null;
  readonly no_merge: boolean;
  readonly draft: boolean;
}

/** The model that a try was given, and what the sender must be told of it. */
export interface JobModel {
  readonly model: string;
  readonly notes: readonly string[];
}

/** A run of a workflow on GitHub Actions. A re-run keeps `id` and raises `attempt` (github-facts 2.15). */
export interface Run {
  readonly id: number;
  readonly attempt: number;
  readonly url: string;
  readonly status: "queued" | "in_progress" | "completed";
  readonly conclusion: string | null;
}

/** Stands for the conclusion of a run that GitHub does not know any more. */
export const GONE = "gone";

/** A CI run that a webhook told us of, on the commit named: green waits until all of them are complete. */
export interface CiRun {
  readonly id: number;
  readonly attempt: number;
  readonly sha: string;
  readonly complete: boolean;
}

/** What one round was asked, and what came of it. */
export interface Round {
  readonly asked: string;
  readonly by: string | null;
  /** Empty until the round has an outcome. */
  readonly did: string;
}

/** What stands for the model of a run that has left no result. */
export const NOT_REPORTED = "unknown";

/** What the agent of the last try said; `outcome` also for a green run that left no result. */
export interface AgentResult {
  readonly outcome: Outcome;
  readonly title: string;
  readonly body: string;
  readonly reason: string | null;
  /** What keeps every other try from working. Absent in older records, and of older agents. */
  readonly permanent_error?: PermanentError | null;
  readonly model: string;
  /** What the run says of its model. Absent in older records. */
  readonly notes?: readonly string[];
  readonly usage: Usage;
  readonly cost_cents: number | null;
  readonly changed_files: readonly string[];
  /** Of which run it is. Null or, in older records, absent: not known. */
  readonly run?: Pick<Run, "id" | "attempt"> | null;
}

/** What a judge says of the work at one commit. `none`: there is nobody to ask. */
export interface Judgement {
  /** Null: work that is words alone. */
  readonly sha: string | null;
  readonly verdict: "pass" | "fail" | "unsure" | "none";
  readonly reasons: readonly string[];
  /** How often this try has been judged: a branch that moves and moves is not judged for ever. */
  readonly nth: number;
}

/** That the sender takes the work as it was at this commit. `by` null: nobody has objected in time. */
export interface Approval {
  readonly sha: string | null;
  readonly by: string | null;
  readonly at: number;
}

/** A file that came with a job or with its work. Its content is kept beside the record, in a parcel. */
export interface Attachment {
  readonly name: string;
  readonly type: string;
  /** In bytes. */
  readonly size: number;
}

/** What the sender of a market job has put beside the prompt. Kept until the job ends. */
export interface AttachmentRefs {
  /** Under which the store keeps the contents. */
  readonly parcel: string;
  readonly attachments: readonly Attachment[];
  readonly has_env_vars: boolean;
}

/** What a worker of the market has handed in, beside its words, in the current try. */
export interface Delivery {
  /** Under which the store keeps the contents; null: there are none. */
  readonly parcel: string | null;
  /** Paths of the files that the App commits to the job's branch. */
  readonly files: readonly string[];
  readonly attachments: readonly Attachment[];
  /** A pull request of the worker's own, in place of the App's. */
  readonly pull_request: number | null;
  /** Its files are on no branch, where nothing runs them. Null or, in older records, absent: they may run. */
  readonly held?: HeldFiles | null;
}

/** The commit that shows them, which no branch leads to; nulls: it is still to be made. */
export interface HeldFiles {
  readonly sha: string | null;
  readonly url: string | null;
}

/** That a run has handed in its result. */
export interface HandedIn {
  readonly run_id: number;
  readonly attempt: number;
  /** Head of the job's branch that is known to hold the work and no folder of ours; null: not known. */
  readonly clean_sha: string | null;
}

/** Work of a try that failed, which lies in a pull request and was not paid: whoever merges it after all has taken it. */
export interface RejectedWork {
  readonly agent_id: string;
  readonly account: string;
  readonly pull_request: number;
}

/** What the sender still owes for work that was taken. */
export interface Debt {
  /** Of whoever did the work. */
  readonly account: string;
  readonly price_cents: number;
  readonly paid_cents: number;
}

/** A try that ended without pay by its worker's doing. */
export interface GivenUp {
  readonly account: string;
  readonly at: number;
}

/** A market worker's claim on a queued job. */
export interface Hold {
  readonly agent_id: string;
  readonly account: string;
  readonly expires_at: number;
}

/** How the pull request is to be brought home, as far as that has come. */
export type Merge =
  | { readonly state: "off"; readonly why: string }
  /** `refusals`: how often GitHub has said no so far; bounded. */
  | { readonly state: "waiting"; readonly refusals: number }
  /** `deletes_branch`: the repository deletes merged branches itself. */
  | { readonly state: "merging"; readonly sha: string; readonly refusals: number; readonly deletes_branch: boolean }
  | { readonly state: "auto"; readonly sha: string; readonly deletes_branch: boolean };

export interface Job {
  readonly id: JobId;
  /** Account of the sender, which pays and may read the job. */
  readonly account: string;
  readonly repository: Repository;
  readonly runner: Runner;
  readonly status: Status;
  readonly origin: Origin;
  /** GitHub login of the person who asked, if one did. */
  readonly requester: string | null;
  readonly title: string;
  /** The task of the first round. */
  readonly task: string;
  /** What the market is told beside the task; empty for jobs of other doors. */
  readonly description: string;
  readonly requirements: string;
  /** In lower case; by these jobs and agents find each other. */
  readonly skills: readonly string[];
  readonly enclosure: AttachmentRefs | null;
  readonly choices: Choices;
  /** Where the sender wants to hear what becomes of it; never shown, since an address may hold a secret. */
  readonly callback_url: string | null;
  /** Snapshot from the base commit at the last push of a brief; null until then. */
  readonly settings: RepositorySettings | null;
  /** Why the repository's file is not what counts, in a sentence; null or, before the first brief, absent: it is. */
  readonly settings_problem?: string | null;
  /** As the last brief names it; null or, in older records, absent: none was pushed. */
  readonly llm?: JobModel | null;

  readonly price_cents: number;
  readonly time_limit_seconds: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly accepted_at: number | null;
  readonly deadline_at: number | null;
  readonly submitted_at: number | null;
  readonly merged_at: number | null;
  readonly archived_at: number | null;
  readonly cancellation_requested: boolean;
  /** Grows on accept and on fail: three means that two tries are over (job-market seed). */
  readonly attempt_count: number;
  /** Tries of this round that were begun on the branch; names the effects of a try. */
  readonly tries: number;
  /** 1 for the first; a message or a retry opens the next. */
  readonly round: number;
  readonly rounds: readonly Round[];
  /** Asked for while a round was under way; taken up by the next. */
  readonly waiting_messages: readonly { readonly text: string; readonly by: string | null }[];
  /** Comments and messages that were taken, by their ids, newest last: one that is worked on twice is heard once. */
  readonly heard: readonly (number | string)[];
  readonly hold: Hold | null;
  readonly worker: { readonly agent_id: string; readonly account: string } | null;
  /** Newest last, the newest few. Absent in older records. */
  readonly given_up?: readonly GivenUp[];
  readonly presented_to_agents: readonly string[];

  /** Branch to start from and to merge into; `branch` null: the default branch. */
  readonly base: {
    readonly branch: string | null;
    readonly sha: string | null;
    /** It was the default branch that was meant, which may get another name. Absent in older records. */
    readonly is_default?: boolean | undefined;
  };
  readonly branch: string;
  /** Head of the job branch as last told by our own writes or a webhook. Null: not on GitHub yet. */
  readonly head_sha: string | null;
  /** When the pull request first had this head: CI begins a moment later. Null while nothing is judged. */
  readonly head_seen_at: number | null;
  /** Commit of this try's brief; its run is the one that counts. Null until told. */
  readonly brief_sha: string | null;
  /** When the brief of this try reached GitHub; a run is due five minutes later. */
  readonly pushed_at: number | null;
  readonly run: Run | null;
  /** Runs on the branch that were heard of before the brief's commit was known. Absent in older records. */
  readonly early_runs?: readonly { readonly run: Run; readonly head_sha: string }[];
  /** Ids of the runs of earlier tries, newest last, whose late events mean nothing. */
  readonly past_runs: readonly number[];
  readonly ci_runs: readonly CiRun[];
  readonly pull_request: { readonly number: number; readonly url: string } | null;
  /** Numbers of those it had before, which are no other job's either. Absent in older records. */
  readonly former_pull_requests?: readonly number[];
  /** One for each pull request, newest last. Absent in older records. */
  readonly turned_down?: readonly RejectedWork[];
  /** Absent in older records. */
  readonly debts?: readonly Debt[];
  readonly merge: Merge;
  readonly work: AgentResult | null;
  /** What the tries have used beside the one whose work this is. Absent in older records. */
  readonly other_tries: Spent;
  /** What the judge says of this try's work; null: not yet, or there is none. */
  readonly judgement: Judgement | null;
  readonly approval: Approval | null;
  /** Since when checks and judge leave it to the sender; null: they do not. */
  readonly sender_asked_at: number | null;
  readonly delivery: Delivery | null;
  /** What the run of this try has handed in to us before its push; null: nothing. Its words are the job's `work`. */
  readonly handed_in: HandedIn | null;
  /** The repository's run-job.yml is a copy from before the run action, as the last run that handed in showed. */
  readonly old_workflow: boolean;
  /** When the check run was last asked to show how far the run is; null: not in this try. */
  readonly progress_at: number | null;
  /** Why the last try failed, in a sentence; shown, and handed to the next try. */
  readonly failure: string | null;
  /** The last verdict's reasons, for comment and check. */
  readonly reasons: readonly Reason[];
  /** Things the sender must be told beside the status, e.g. that no run has started. */
  readonly notice: string | null;
  /** When time alone last woke the job; what was due by then is not due again. */
  readonly woken_at: number | null;
  readonly comment: { readonly id: number; readonly synced_at: number } | null;
  readonly check: { readonly id: number; readonly sha: string; readonly synced_at: number } | null;
}

/** One row of a job's history: a transition, in the past tense. */
export interface HistoryRow {
  readonly at: number;
  readonly event: string;
  readonly from: Status | null;
  readonly to: Status;
  readonly by: string | null;
  readonly note: string | null;
  /** What had come of the job with it. Missing: it was under way, or the row is of an earlier version. */
  readonly outcome?: JobOutcome | undefined;
}

/**
 * What the sender must be told of the model, by the brief and by the run, each thing once. A run that took another model
 * than the brief's, as its repository's variables say, tells what there is to say of that.
 */
export function modelNotes({ llm, work }: Job): readonly string[] {
  const other = work !== null && work.model !== NOT_REPORTED && work.model !== llm?.model;
  return [...new Set([...(other ? [] : (llm?.notes ?? [])), ...(work?.notes ?? [])])];
}

export const heldFiles = ({ delivery }: Pick<Job, "delivery">): HeldFiles | null => delivery?.held ?? null;

/** Letters of a commit by which people name it. */
const SHORT_COMMIT = 10;

/**
 * The commit that must be named to let its files run, shortened: others may have been read before it, and a word about
 * those says nothing of these. Null: no others were, or it is still to be made.
 */
export const commitToName = (job: Pick<Job, "delivery" | "round" | "tries">): string | null =>
  job.round === 1 && job.tries === 1 ? null : (heldFiles(job)?.sha?.slice(0, SHORT_COMMIT) ?? null);

/** The work is looked at by itself: it is words alone, or files that may not run yet. */
export const isApart = (job: Pick<Job, "delivery" | "pull_request">): boolean =>
  job.pull_request === null || heldFiles(job) !== null;

/** The commit that the judge reads; null: the work is words alone. */
export const judgedSha = (job: Pick<Job, "delivery" | "pull_request" | "head_sha">): string | null =>
  isApart(job) ? (heldFiles(job)?.sha ?? null) : job.head_sha;

/** The status that counts now: a hold that is over reads as queued, whether or not a timer has come by. */
export const statusAt = (job: Job, now: number): Status =>
  job.status === "held" && job.hold !== null && job.hold.expires_at <= now ? "queued" : job.status;
