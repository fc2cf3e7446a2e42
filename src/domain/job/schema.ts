/**
 * The shape of a job: every field once, with its meaning and the value that a new job has in it. Types follow from here.
 * Times are milliseconds since the epoch, money is integer US cents. `upcasts.ts` reads what earlier versions stored.
 */
import * as z from "zod";
import { NO_USAGE, OUTCOMES, PERMANENT_ERRORS, usageSchema } from "../../contracts/result.ts";
import { replySchema } from "../../contracts/review.ts";
import { repositorySettingsSchema } from "../../contracts/settings.ts";
import { LINE_LIMITS } from "./budget.ts";
import { catchUpSchema, NO_CATCH_UP } from "./catch-up.ts";
import { commentIdSchema } from "./comment-id.ts";
import { asJobId } from "./job-id.ts";
import type { Reason } from "./reason.ts";
import { reviewsSchema } from "./review-schema.ts";
import { count, list, notes, number, runRef, type Shape, sha, text, time, unset, words } from "./schema-parts.ts";
import {
  type ActionsWork,
  actionsAttempt,
  actionsWorkSchema,
  type MarketWork,
  marketAttempt,
  marketWorkSchema,
  type Work,
  work,
} from "./work-schema.ts";

export const STATUSES = [
  "pending_payment",
  "queued",
  "held",
  "accepted",
  "submitted",
  "waiting_for_user",
  "verified",
  "cancelled",
  "failed",
] as const;
export type Status = (typeof STATUSES)[number];

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
  /** Of the repository's own schedules. `due_at`: the minute that it is for. */
  z.object({ kind: z.literal("schedule"), name: text, due_at: time }),
  /** Of the repository's own triggers. `event`: which news, so that it starts one job. */
  z.object({
    ...{ kind: z.literal("trigger"), name: text, event: text },
    /** The issue that it is about, where the job's comment stands. Absent where there is none. */
    issue: number.exactOptional(),
  }),
]);
/** Where the job came from, so that answers go back there. */
export type Origin = Shape<typeof origin>;

const choices = z.object({ provider: words, model: words, no_merge: z.boolean(), draft: z.boolean() });
/** What the sender chose against the repository's settings. */
export type Choices = Shape<typeof choices>;

const ciRun = runRef.extend({ sha, complete: z.boolean() });
/** A CI run that a webhook told us of, on the commit named: green waits until all of them are complete. */
export type CiRun = Shape<typeof ciRun>;

/** `did` is empty until there is an outcome. */
const round = z.object({
  asked: text,
  by: words,
  did: text,
  /** What it did was to ask: what the next round asked for is the answer. Absent unless so. */
  is_question: z.literal(true).exactOptional(),
});
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
  /** The run could not set up the image that the settings name. Absent unless so. */
  set_up_failed: z.boolean().exactOptional(),
  model: text,
  /** What the run says of its model. Absent in older records. */
  notes: notes.exactOptional(),
  usage: usageSchema,
  cost_cents: z.number().nonnegative().nullable(),
  changed_files: z.array(text),
  /** Its answers to review comments, by their ids. Absent in older records. */
  replies: z.array(replySchema).exactOptional(),
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

const merge = z.discriminatedUnion("state", [
  z.object({ state: z.literal("off"), why: text }),
  /** `refusals`: how often GitHub has said no so far; bounded. */
  z.object({ state: z.literal("waiting"), refusals: count }),
  /** `deletes_branch`: the repository deletes merged branches itself. */
  z.object({ state: z.literal("merging"), sha, refusals: count, deletes_branch: z.boolean() }),
  z.object({ state: z.literal("auto"), sha, deletes_branch: z.boolean() }),
  z.object({
    state: z.literal("queued"),
    sha,
    refusals: count,
    deletes_branch: z.boolean(),
    /** When GitHub was seen to have it in its merge queue; null: not yet. */
    entered_at: time.nullable(),
    /** When it had last left the queue before it was added; null: never. */
    left_before: time.nullable().default(null),
    /** 1 is the next; null: not known. */
    position: number.nullable(),
    /** Why a webhook says that it has left the queue; null: none has said so. */
    left: z.object({ reason: text, by: words }).nullable(),
  }),
]);
/** How the pull request is to be brought home, as far as that has come. */
export type Merge = Shape<typeof merge>;

const mergeQueue = z.object({
  /** How often the merge queue has thrown this round's work out, and how many rounds that has led to in a row. */
  exits: count,
  rounds: count,
  /** Why it did so last, in a sentence without the full stop. */
  why: words,
  /** The commit on which the queue has tested the work last. */
  group_sha: sha.nullable(),
});
/** What GitHub's merge queue has made of the pull request so far. */
export type MergeQueue = Shape<typeof mergeQueue>;

const target = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("own") }),
  z.object({
    kind: z.literal("pull-request"),
    number,
    branch: text,
    /** Head of that branch that the work is based on; nothing is pushed onto another. Null: not read yet. */
    head_sha: unset(sha),
    /** The newest commit that the job has pushed there. */
    pushed_sha: unset(sha),
    /** It was asked for to make checks pass, and for nothing else. */
    only_checks: z.literal(true).exactOptional(),
    /** What failed there when the last brief was pushed; null: nothing did. */
    failing: unset(z.object({ sha, signature: text })),
  }),
]);
/** Where the work goes: to a pull request of the job's own, or to the branch of a person's. */
export type Target = Shape<typeof target>;

const reason: z.ZodType<Reason> = z.object({
  verdict: z.enum(["pass", "fail", "wait"]),
  text,
  url: words,
  get because() {
    return z.array(reason);
  },
});

/** Which limit of the repository's it waits for, since when, and as which of those that waited then. */
const line = z.object({
  since: time,
  limit: z.enum(LINE_LIMITS),
  /** A number of jobs, or cents. */
  most: z.number(),
  position: number,
  /** When there is more of the budget that it waits for. Absent: it is none. */
  until: time.exactOptional(),
});

/** Why a job goes no further without a person. */
export const MENTIONS = ["question", "failed", "sender", "reviews", "stuck", "checks", "merge", "expiry"] as const;
const mention = z.object({
  round: number,
  why: z.enum(MENTIONS),
  /** The comment that says it to the requester; null: it is still to be written. */
  comment_id: number.nullable(),
});
export type Mention = Shape<typeof mention>;

/** When its pull request is closed, since when nobody has touched that, and when a warning was shown. */
const expiry = z.object({ at: time, seen_at: time, warned_at: time.nullable() });
export type Expiry = Shape<typeof expiry>;

const raised = z.object({
  cost_cents: z.number().positive().exactOptional(),
  minutes: number.exactOptional(),
  turns: number.exactOptional(),
});
/** Limits that count in place of the settings'. */
export type RaisedLimits = Shape<typeof raised>;

const reserved = z.object({
  /** Of a budget; else it is just what the settings allow. */
  budgeted: z.boolean(),
  cents: z.number().nonnegative(),
  at: time,
});
/** The most that an attempt may cost, and since when that was so. */
export type Reserved = Shape<typeof reserved>;

/** Of one attempt, whoever makes it. */
const attempt = z.object({
  accepted_at: unset(time),
  deadline_at: unset(time),
  submitted_at: unset(time),
  /** When the agent asked what a person has to answer. Null: it did not. */
  question_asked_at: unset(time),
  /** Commit of this attempt's brief; its run is the one that counts. Null until told. */
  brief_sha: unset(sha),
  /** When the brief of this attempt reached GitHub; a run is due five minutes later. */
  pushed_at: unset(time),
  /** When the pull request first had this head: CI begins a moment later. Null while nothing is judged. */
  head_seen_at: unset(time),
  /** Head whose cancelled checks the App has run again: once in an attempt. */
  rerun_sha: unset(sha),
  /** When time alone last woke the job; what was due by then is not due again. */
  woken_at: unset(time),
});

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
  reviews: reviewsSchema.prefault({}),
  /** Ids of comments and messages that were taken, newest last, so that each is taken once. */
  heard: list(z.union([z.number(), z.string()])),
  /** Head of the job branch as last told by our own writes or a webhook. Null: not on GitHub yet. */
  head_sha: unset(sha),
  ci_runs: list(ciRun),
  pull_request: unset(z.object({ number, url: text })),
  /** It is known to be open. */
  pull_request_open: z.boolean().default(false),
  /** Numbers of those it had before, which are no other job's either. */
  former_pull_requests: list(number),
  target: target.default({ kind: "own" }),
  merge: merge.default({ state: "waiting", refusals: 0 }),
  merge_queue: mergeQueue.default({ exits: 0, rounds: 0, why: null, group_sha: null }),
  /** Its pull request waits for a person; null: it does not, or as long as it takes. */
  expiry: unset(expiry),
  /** The last word to the requester that the job waits for a person; null: there was none. */
  mention: unset(mention),
  /** It waits in line before its attempt begins; null: it does not. */
  line: unset(line),
  /** What a retry allows its round; null: what the settings say. */
  raised: unset(raised),
  /** What its attempt that began last may cost; null: none has. */
  reserved: unset(reserved),
  /** Its round may go beyond the budget of the repository, as somebody who administers it said. */
  over_budget: z.boolean().default(false),
  result: unset(agentResult),
  /** What the attempts have used beside the one whose result this is. */
  other_attempts: spent.default(NOTHING_SPENT),
  /** Why the last attempt failed, in a sentence; shown, and handed to the next. */
  failure: unset(text),
  /** The last verdict's reasons, for comment and check. */
  reasons: list(reason),
  /** Things the sender must be told beside the status, e.g. that no run has started. */
  notice: unset(text),
  /** How its pull request keeps up with the base branch. */
  catch_up: catchUpSchema.default(NO_CATCH_UP),
  /** What of the settings could not be followed for the pull request, in a sentence. */
  triage_problem: unset(text),
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
  /** What the task's placeholders stand for, where a trigger has started the job: data of others, never part of the task. */
  trigger_values: list(z.object({ name: text, text })),
  choices,
  /** The address that gets the job's events; never shown, since an address may hold a secret. */
  callback_url: words.default(null),
  price_cents: count,
  time_limit_seconds: z.number().positive(),
  /** The issue had no comments when the job was asked for, so its first brief need not read any. */
  undiscussed: z.boolean().default(false),
  /** When the newest comment of the issue was written that a brief has taken into account. Null: none has. */
  discussed_until: unset(time),
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
