/**
 * Queries on a job: its kind of work, its stage, its worker, and what people see of it. The shape is defined in
 * `schema.ts`.
 */
import type { Job, Origin, Repository, Status } from "./schema.ts";
import { theirs } from "./target.ts";
import type { ActionsWork, HeldFiles, Hold, MarketWork, Run, Work } from "./work-schema.ts";

export { asJobId, branchOf, type JobId, jobOfBranch } from "./job-id.ts";
export {
  type AgentResult,
  type Choices,
  type CiRun,
  type Expiry,
  type Job,
  type Mention,
  type Merge,
  type Origin,
  type RaisedLimits,
  type Repository,
  type Round,
  STATUSES,
  type Status,
  type Target,
} from "./schema.ts";
export type {
  ActionsWork,
  Approval,
  Attachment,
  AttachmentRefs,
  Debt,
  GivenUp,
  HandedIn,
  HeldFiles,
  Hold,
  JobModel,
  Judgement,
  MarketWork,
  RejectedWork,
  Run,
  Runner,
  Submission,
  Work,
} from "./work-schema.ts";

/** No money waits and nobody works on a job in these; a message or a retry may still open a further round. */
export const isFinal = (status: Status): boolean =>
  status === "verified" || status === "cancelled" || status === "failed";

/**
 * Nobody works on it, and it costs nothing: it is over, or waits for a person's answer. Clients that poll have nothing to
 * wait for.
 */
export const isAtRest = (status: Status): boolean => isFinal(status) || status === "waiting_for_user";

/** What the agent asks, where a job waits for the answer; null: it does not. */
export const questionOf = ({ status, result }: Pick<Job, "status" | "result">): string | null =>
  status === "waiting_for_user" ? result?.reason || result?.body || result?.title || "" : null;

/** A job that the repository's own GitHub Actions work on. */
export type ActionsJob = Job & { readonly work: ActionsWork };
/** A job that agents of the market work on. */
export type MarketJob = Job & { readonly work: MarketWork };

type HasWork = { readonly work: Work };

export const isOnActions = <J extends HasWork>(job: J): job is J & { readonly work: ActionsWork } =>
  job.work.kind === "actions";
export const isOnMarket = <J extends HasWork>(job: J): job is J & { readonly work: MarketWork } =>
  job.work.kind === "market";

/** The work as GitHub Actions have it; null: it is the market's. */
export const actionsWork = ({ work }: HasWork): ActionsWork | null => (work.kind === "actions" ? work : null);
/** The work as the market has it; null: it is done by GitHub Actions. */
export const marketWork = ({ work }: HasWork): MarketWork | null => (work.kind === "market" ? work : null);

export const runOf = (job: HasWork): Run | null => actionsWork(job)?.run ?? null;
export const holdOf = (job: HasWork): Hold | null => marketWork(job)?.hold ?? null;
export const workerOf = (job: HasWork): MarketWork["worker"] => marketWork(job)?.worker ?? null;

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

/** The issue or pull request in which the job was asked for and in which its comment stands; null without one. */
export const issueOf = (origin: Origin): number | null =>
  "issue" in origin && origin.issue !== undefined ? origin.issue : null;

/** The schedule or trigger that started the job; null: somebody asked for it. */
export const startedBy = ({
  origin,
}: {
  readonly origin: Origin;
}): { readonly kind: "schedule" | "trigger"; readonly name: string } | null =>
  origin.kind === "schedule" || origin.kind === "trigger" ? { kind: origin.kind, name: origin.name } : null;

/** The job's comment stands right below the command, so it is the sign that the command was heard. */
export const isAnsweredByComment = (origin: Origin): boolean =>
  origin.kind === "comment" && typeof origin.comment_id === "number";

/** Stands for the conclusion of a run that GitHub does not know any more. */
export const GONE = "gone";

/** What stands for the model of a run that has left no result. */
export const NOT_REPORTED = "unknown";

/**
 * What the sender must be told of the model, by the brief and by the run, each thing once. A run that took another model
 * than the brief's, as its repository's variables say, tells what there is to say of that.
 */
export function modelNotes(job: Pick<Job, "work" | "result">): readonly string[] {
  const { result } = job;
  const llm = actionsWork(job)?.llm ?? null;
  const other = result !== null && result.model !== NOT_REPORTED && result.model !== llm?.model;
  return [...new Set([...(other ? [] : (llm?.notes ?? [])), ...(result?.notes ?? [])])];
}

/** Checks and judge leave it to the sender. */
export const isSenderAsked = (job: HasWork): boolean => (marketWork(job)?.sender_asked_at ?? null) !== null;

export const heldFiles = (job: HasWork): HeldFiles | null => marketWork(job)?.delivery?.held ?? null;

/**
 * The commit that must be named to let its files run, shortened: others may have been read before it, and a word about
 * those says nothing of these. Null: no others were, or it is still to be made.
 */
export const commitToName = (job: Pick<Job, "work" | "round" | "attempt">): string | null =>
  job.round === 1 && job.attempt === 1 ? null : (heldFiles(job)?.sha?.slice(0, 10) ?? null);

/** The work is looked at by itself: it is words alone, or files that may not run yet. */
export const isApart = (job: Pick<Job, "work" | "pull_request" | "target">): boolean =>
  job.pull_request === null || heldFiles(job) !== null || theirs(job)?.pushed_sha === null;

/** The commit that the judge reads; null: the work is words alone. */
export const judgedSha = (job: Pick<Job, "work" | "pull_request" | "target" | "head_sha">): string | null =>
  isApart(job) ? (heldFiles(job)?.sha ?? null) : job.head_sha;

/** The status that counts now: a hold that is over reads as queued, whether or not a timer has come by. */
export const statusAt = (job: Job, now: number): Status => {
  const hold = holdOf(job);
  return job.status === "held" && hold !== null && hold.expires_at <= now ? "queued" : job.status;
};
