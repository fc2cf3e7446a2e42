/** The shape of a job's work: who does it, with what only they have. `schema.ts` has the job around it. */
import * as z from "zod";
import { count, list, notes, number, runRef, type Shape, sha, text, time, unset, words } from "./schema-parts.ts";

const jobModel = z.object({ model: text, notes });
/** The model that an attempt was given, and what the sender must be told of it. */
export type JobModel = Shape<typeof jobModel>;

const run = runRef.extend({
  url: text,
  status: z.enum(["queued", "in_progress", "completed"]),
  conclusion: words,
});
/** A run of a workflow on GitHub Actions. A re-run keeps `id` and raises `attempt` (github-facts 2.15). */
export type Run = Shape<typeof run>;

const judgement = z.object({
  /** Null: work that is words alone. */
  sha: sha.nullable(),
  verdict: z.enum(["pass", "fail", "unsure", "none"]),
  reasons: z.array(text),
  /** How often this attempt has been judged: a branch that moves and moves is not judged for ever. */
  nth: count,
});
/** What a judge says of the work at one commit. `none`: there is nobody to ask. */
export type Judgement = Shape<typeof judgement>;

/** `by` null: nobody has objected in time. */
const approval = z.object({ sha: sha.nullable(), by: words, at: time });
/** That the sender takes the work as it was at this commit. */
export type Approval = Shape<typeof approval>;

/** `size` is in bytes. */
export const attachment = z.object({ name: text, type: text, size: count });
/** A file that came with a job or with its work. Its content is kept beside the record, in a blob. */
export type Attachment = Shape<typeof attachment>;

const attachmentRefs = z.object({
  /** The name of the blob that holds the contents. */
  parcel: text,
  attachments: z.array(attachment),
  has_env_vars: z.boolean(),
});
/** What the sender of a market job has put beside the prompt. Kept until the job ends. */
export type AttachmentRefs = Shape<typeof attachmentRefs>;

/** Nulls: it is still to be made. */
const heldFiles = z.object({ sha: sha.nullable(), url: words });
/** The commit that shows them, which no branch leads to. */
export type HeldFiles = Shape<typeof heldFiles>;

const submission = z.object({
  /** The name of the blob that holds the contents; null: there are none. */
  parcel: words,
  /** Paths of the files that the App commits to the job's branch. */
  files: z.array(text),
  attachments: z.array(attachment),
  /** A pull request of the worker's own, in place of the App's. */
  pull_request: number.nullable(),
  /** Its files are on no branch, where nothing runs them. Null or absent: they may run. */
  held: heldFiles.nullable().exactOptional(),
});
/** What a worker of the market has handed in, beside its words, in the current attempt. */
export type Submission = Shape<typeof submission>;

const handedIn = z.object({
  run_id: number,
  attempt: number,
  /** Head of the job's branch that is known to hold the work and no folder of ours; null: not known. */
  clean_sha: sha.nullable(),
});
/** That a run has handed in its result. */
export type HandedIn = Shape<typeof handedIn>;

export const worker = z.object({ agent_id: text, account: text });
const hold = worker.extend({ expires_at: time });
/** A market worker's claim on a queued job. */
export type Hold = Shape<typeof hold>;

const rejectedWork = worker.extend({ pull_request: number });
/** Work of an attempt that failed, which lies in a pull request and was not paid: whoever merges it after all has taken it. */
export type RejectedWork = Shape<typeof rejectedWork>;

/** `account`: of whoever did the work. */
const debt = z.object({ account: text, price_cents: count, paid_cents: count });
/** What the sender still owes for work that was taken. */
export type Debt = Shape<typeof debt>;

const givenUp = z.object({ account: text, at: time });
/** An attempt that ended without pay by its worker's doing. */
export type GivenUp = Shape<typeof givenUp>;

/** Of one attempt on GitHub Actions. */
export const actionsAttempt = z.object({
  run: unset(run),
  /** Runs on the branch that were reported before the brief's commit was known. */
  early_runs: list(z.object({ run, head_sha: sha })),
  /** What the run of this attempt has handed in to us before its push; its words are the job's `result`. */
  handed_in: unset(handedIn),
  /** When the check run was last asked to show how far the run is; null: not in this attempt. */
  progress_at: unset(time),
});

export const actionsWorkSchema = actionsAttempt.extend({
  kind: z.literal("actions"),
  /** Ids of the runs of earlier attempts, newest last, whose late events mean nothing. */
  past_runs: list(number),
  /** As the last brief names it; null: none was pushed. */
  llm: unset(jobModel),
  /** The repository's run-job.yml is a copy from before the run action, as the last run that handed in showed. */
  old_workflow: z.boolean().default(false),
});
/** Work that the repository's own GitHub Actions do. */
export type ActionsWork = Shape<typeof actionsWorkSchema>;

/** Of one attempt by a worker of the market. */
export const marketAttempt = z.object({
  hold: unset(hold),
  worker: unset(worker),
  delivery: unset(submission),
  /** What the judge says of this attempt's work; null: not yet, or there is none. */
  judgement: unset(judgement),
  approval: unset(approval),
  /** Since when checks and judge leave it to the sender; null: they do not. */
  sender_asked_at: unset(time),
});

export const marketWorkSchema = marketAttempt.extend({
  kind: z.literal("market"),
  /** What the market is told beside the task. */
  description: text.default(""),
  requirements: text.default(""),
  /** In lower case; by these jobs and agents find each other. */
  skills: list(text),
  enclosure: unset(attachmentRefs),
  presented_to_agents: list(text),
  /** Newest last, the newest few. */
  given_up: list(givenUp),
  /** One for each pull request, newest last. */
  turned_down: list(rejectedWork),
  debts: list(debt),
});
/** Work that is offered to agents of the market. */
export type MarketWork = Shape<typeof marketWorkSchema>;

export const work = z.discriminatedUnion("kind", [actionsWorkSchema, marketWorkSchema]);
/** Who does the work, with what only they have. */
export type Work = Shape<typeof work>;
export type Runner = Work["kind"];
