/**
 * The shape of a job: every field once, with its meaning and the value that a new job has in it. Types follow from here.
 * Times are milliseconds since the epoch, money is integer US cents. `upcasts.ts` reads what earlier versions stored.
 */
import * as z from "zod";
import { MAX_NOTE, MAX_NOTES, NO_USAGE, OUTCOMES, PERMANENT_ERRORS, usageSchema } from "../../contracts/result.ts";
import { type RepositorySettings, repositorySettingsSchema } from "../../contracts/settings.ts";
import { commentIdSchema } from "./comment-id.ts";
import { asJobId } from "./job-id.ts";
import type { Reason } from "./reason.ts";

type Plain = string | number | boolean | null | undefined | RepositorySettings;

/** What a job holds is never changed in place. */
type Immutable<T> = T extends Plain
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Immutable<Item>[]
    : { readonly [Name in keyof T]: Immutable<T[Name]> };

type Shape<Schema extends z.ZodType> = Immutable<z.output<Schema>>;

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

const time = z.number();
const count = z.number().int().nonnegative();
const number = z.number().int().positive();
const text = z.string();
const words = text.nullable();
const sha = z.string();
const notes = z.array(z.string().max(MAX_NOTE)).max(MAX_NOTES);

/** Null in a new job. */
const unset = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null);
/** Empty in a new job. */
const list = <Schema extends z.ZodType>(schema: Schema) => z.array(schema).default([]);

const jobId = text.transform((value, context) => {
  const id = asJobId(value);
  if (id !== null) return id;
  context.addIssue({ code: "custom", message: "is not the id of a job" });
  return z.NEVER;
});

const repository = z.object({
  owner: text,
  name: text,
  /** GitHub's number, which outlives a name. Missing: not known, as in records of an earlier version. */
  id: z.number().exactOptional(),
  installation_id: z.number(),
});
export type Repository = Shape<typeof repository>;

const origin = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("comment"), issue: number, comment_id: commentIdSchema }),
  z.object({ kind: z.literal("label"), issue: number }),
  z.object({
    kind: z.literal("rest"),
    /** The name of a dialect of the API. */
    dialect: text,
    key_id: words,
    /** The caller waits for the branch. */
    awaits_branch: z.literal(true).exactOptional(),
  }),
  z.object({ kind: z.literal("cron"), name: text }),
]);
/** Where the job came from, so that answers go back there. */
export type Origin = Shape<typeof origin>;

const choices = z.object({ provider: words, model: words, no_merge: z.boolean(), draft: z.boolean() });
/** What the sender chose against the repository's settings. */
export type Choices = Shape<typeof choices>;

const jobModel = z.object({ model: text, notes });
/** The model that an attempt was given, and what the sender must be told of it. */
export type JobModel = Shape<typeof jobModel>;

const runRef = z.object({ id: number, attempt: number });

const run = runRef.extend({
  url: text,
  status: z.enum(["queued", "in_progress", "completed"]),
  conclusion: words,
});
/** A run of a workflow on GitHub Actions. A re-run keeps `id` and raises `attempt` (github-facts 2.15). */
export type Run = Shape<typeof run>;

const ciRun = runRef.extend({ sha, complete: z.boolean() });
/** A CI run that a webhook told us of, on the commit named: green waits until all of them are complete. */
export type CiRun = Shape<typeof ciRun>;

/** `did` is empty until there is an outcome. */
const round = z.object({ asked: text, by: words, did: text });
/** What was asked, and what came of it. */
export type Round = Shape<typeof round>;

const agentResult = z.object({
  outcome: z.enum(OUTCOMES),
  title: text,
  body: text,
  reason: words,
  /** What keeps every other attempt from working. Absent in older records, and of older agents. */
  permanent_error: z.enum(PERMANENT_ERRORS).nullable().exactOptional(),
  /** The run could not get the agent's image. Absent unless so. */
  image_missing: z.boolean().exactOptional(),
  model: text,
  /** What the run says of its model. Absent in older records. */
  notes: notes.exactOptional(),
  usage: usageSchema,
  cost_cents: z.number().nonnegative().nullable(),
  changed_files: z.array(text),
  /** Of which run it is. Null or absent: not known. */
  run: runRef.nullable().exactOptional(),
});
/** What the agent of the last attempt said; `outcome` also for a green run that left no result. */
export type AgentResult = Shape<typeof agentResult>;

const spent = z.object({
  attempts: count,
  usage: usageSchema,
  /** Of the attempts that told it. */
  cost_cents: z.number().nonnegative(),
  /** Every attempt has told what it cost. */
  complete: z.boolean(),
});
/** What the model has used. */
export type Spent = Shape<typeof spent>;
export const NOTHING_SPENT: Spent = { attempts: 0, usage: NO_USAGE, cost_cents: 0, complete: true };

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
const attachment = z.object({ name: text, type: text, size: count });
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

const worker = z.object({ agent_id: text, account: text });
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

const merge = z.discriminatedUnion("state", [
  z.object({ state: z.literal("off"), why: text }),
  /** `refusals`: how often GitHub has said no so far; bounded. */
  z.object({ state: z.literal("waiting"), refusals: count }),
  /** `deletes_branch`: the repository deletes merged branches itself. */
  z.object({ state: z.literal("merging"), sha, refusals: count, deletes_branch: z.boolean() }),
  z.object({ state: z.literal("auto"), sha, deletes_branch: z.boolean() }),
]);
/** How the pull request is to be brought home, as far as that has come. */
export type Merge = Shape<typeof merge>;

const reason: z.ZodType<Reason> = z.object({
  verdict: z.enum(["pass", "fail", "wait"]),
  text,
  url: words,
  get because() {
    return z.array(reason);
  },
});

/** Of one attempt, whoever makes it. */
const attempt = z.object({
  accepted_at: unset(time),
  deadline_at: unset(time),
  submitted_at: unset(time),
  /** Commit of this attempt's brief; its run is the one that counts. Null until told. */
  brief_sha: unset(sha),
  /** When the brief of this attempt reached GitHub; a run is due five minutes later. */
  pushed_at: unset(time),
  /** When the pull request first had this head: CI begins a moment later. Null while nothing is judged. */
  head_seen_at: unset(time),
  /** When time alone last woke the job; what was due by then is not due again. */
  woken_at: unset(time),
});

/** Of one attempt on GitHub Actions. */
const actionsAttempt = z.object({
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
const marketAttempt = z.object({
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

const work = z.discriminatedUnion("kind", [actionsWorkSchema, marketWorkSchema]);
/** Who does the work, with what only they have. */
export type Work = Shape<typeof work>;
export type Runner = Work["kind"];

/** What a job goes through, with what it begins with. */
const progress = attempt.extend({
  status: z.enum(STATUSES).default("queued"),
  /** Snapshot from the base commit at the last push of a brief; null until then. */
  settings: unset(repositorySettingsSchema),
  /** Why the repository's file is not what counts, in a sentence; null: it is. */
  settings_problem: unset(text),
  merged_at: unset(time),
  archived_at: unset(time),
  cancellation_requested: z.boolean().default(false),
  /** Grows on accept and on fail: three means that two attempts are over (job-market seed). */
  attempt_count: count.default(0),
  /** Attempts of this round that were begun on the branch; names the effects of an attempt. */
  attempt: number.default(1),
  /** 1 for the first; a message or a retry opens the next. */
  round: number.default(1),
  /** Asked for while a round was under way; taken up by the next. */
  waiting_messages: list(z.object({ text, by: words })),
  /** Ids of comments and messages that were taken, newest last, so that each is taken once. */
  heard: list(z.union([z.number(), z.string()])),
  /** Head of the job branch as last told by our own writes or a webhook. Null: not on GitHub yet. */
  head_sha: unset(sha),
  ci_runs: list(ciRun),
  pull_request: unset(z.object({ number, url: text })),
  /** Numbers of those it had before, which are no other job's either. */
  former_pull_requests: list(number),
  merge: merge.default({ state: "waiting", refusals: 0 }),
  result: unset(agentResult),
  /** What the attempts have used beside the one whose result this is. */
  other_attempts: spent.default(NOTHING_SPENT),
  /** Why the last attempt failed, in a sentence; shown, and handed to the next. */
  failure: unset(text),
  /** The last verdict's reasons, for comment and check. */
  reasons: list(reason),
  /** Things the sender must be told beside the status, e.g. that no run has started. */
  notice: unset(text),
  comment: unset(z.object({ id: number })),
  check: unset(z.object({ id: number, sha })),
});

export const jobSchema = progress.extend({
  id: jobId,
  /** Account of the sender, which pays and may read the job. */
  account: text,
  repository,
  work,
  origin,
  /** GitHub login of the person who asked, if one did. */
  requester: words,
  title: text,
  /** The task of the first round. */
  task: text,
  choices,
  /** The address that gets the job's events; never shown, since an address may hold a secret. */
  callback_url: words.default(null),
  price_cents: count,
  time_limit_seconds: z.number().positive(),
  created_at: time,
  updated_at: time,
  rounds: z.array(round),
  /** Branch to start from and to merge into; `branch` null: the default branch. */
  base: z.object({
    branch: words,
    sha: sha.nullable(),
    /** It was the default branch that was meant, which may get another name. */
    is_default: z.boolean(),
  }),
  branch: text,
});

/** What is known of one piece of work, whoever does it. Plain data, stored as it stands. */
export interface Job extends Shape<typeof jobSchema> {}

/** How a job begins, beside what it was asked with. */
export const NEW_JOB: Shape<typeof progress> = progress.parse({});
const NEW_ATTEMPT = attempt.parse({});
const NEW_ACTIONS_ATTEMPT = actionsAttempt.parse({});
const NEW_MARKET_ATTEMPT = marketAttempt.parse({});

export const NEW_ACTIONS_WORK: ActionsWork = actionsWorkSchema.parse({ kind: "actions" });
export const NEW_MARKET_WORK: MarketWork = marketWorkSchema.parse({ kind: "market" });

/** The same work, to be begun anew. */
const begunAnew = (work: Work): Work =>
  work.kind === "actions" ? { ...work, ...NEW_ACTIONS_ATTEMPT } : { ...work, ...NEW_MARKET_ATTEMPT };

/** What an attempt has is cleared when it ends. */
export const newAttempt = (work: Work): Shape<typeof attempt> & { readonly work: Work } => ({
  ...NEW_ATTEMPT,
  work: begunAnew(work),
});
