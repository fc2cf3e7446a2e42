/**
 * The shape of a job as it is carried from one process to the next, checked field by field: what is read back was
 * written by an earlier version, or by anyone who may push. Holds to the types of `src/domain/job`; adds no rule of its own.
 */

import { z } from "zod";
import { MAX_NOTE, MAX_NOTES, OUTCOMES, PERMANENT_ERRORS, usageSchema } from "../contracts/result.ts";
import { MERGE_METHODS, repositorySettingsSchema } from "../contracts/settings.ts";
import { commentIdSchema } from "../domain/job/comment-id.ts";
import type { GitHubEffect } from "../domain/job/effect.ts";
import { asJobId, type HistoryRow, type Job, STATUSES } from "../domain/job/job.ts";
import { jobOutcomeSchema } from "../domain/job/outcome.ts";
import type { Reason } from "../domain/job/reason.ts";
import { NOTHING_SPENT } from "../domain/job/usage.ts";

const time = z.number();
const count = z.number().int().nonnegative();
const number = z.number().int().positive();
const text = z.string();
/** Empty where a branch was gone before it could be read. */
const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64}|)$/);
const words = text.nullable();

const jobId = text.transform((value, context) => {
  const id = asJobId(value);
  if (id !== null) return id;
  context.addIssue({ code: "custom", message: "is not the id of a job" });
  return z.NEVER;
});

const origin = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("comment"), issue: number, comment_id: commentIdSchema }),
  z.object({ kind: z.literal("label"), issue: number }),
]);

const merge = z.discriminatedUnion("state", [
  z.object({ state: z.literal("off"), why: text }),
  z.object({ state: z.literal("waiting"), refusals: count }),
  z.object({ state: z.literal("merging"), sha, refusals: count, deletes_branch: z.boolean() }),
  z.object({ state: z.literal("auto"), sha, deletes_branch: z.boolean() }),
]);

const run = z.object({
  id: number,
  attempt: number,
  url: text,
  status: z.enum(["queued", "in_progress", "completed"]),
  conclusion: words,
});

const work = z.object({
  outcome: z.enum(OUTCOMES),
  title: text,
  body: text,
  reason: words,
  permanent_error: z.enum(PERMANENT_ERRORS).nullable().exactOptional(),
  model: text,
  notes: z.array(z.string().max(MAX_NOTE)).max(MAX_NOTES).default([]),
  usage: usageSchema,
  cost_cents: z.number().nonnegative().nullable(),
  changed_files: z.array(text),
  run: z.object({ id: number, attempt: number }).nullable().exactOptional(),
});

const spent = z.object({
  tries: count,
  usage: usageSchema,
  cost_cents: z.number().nonnegative(),
  complete: z.boolean(),
});

const reason: z.ZodType<Reason> = z.object({
  verdict: z.enum(["pass", "fail", "wait"]),
  text,
  url: words,
  get because() {
    return z.array(reason);
  },
});

/** Jobs of Actions mode: never paid for, never offered to the market. */
export const jobSchema: z.ZodType<Job> = z.object({
  id: jobId,
  account: text,
  repository: z.object({ owner: text, name: text, id: z.number().exactOptional(), installation_id: z.number() }),
  runner: z.literal("actions"),
  status: z.enum(STATUSES),
  origin,
  requester: words,
  title: text,
  task: text,
  description: text.default(""),
  requirements: text.default(""),
  skills: z.array(text).default([]),
  enclosure: z.null().default(null),
  choices: z.object({ provider: words, model: words, no_merge: z.boolean(), draft: z.boolean() }),
  // only REST names one; absent in older records
  callback_url: z.null().default(null),
  settings: repositorySettingsSchema.nullable(),
  llm: z
    .object({ model: text, notes: z.array(z.string().max(MAX_NOTE)).max(MAX_NOTES) })
    .nullable()
    .default(null),
  price_cents: z.literal(0),
  time_limit_seconds: z.number().positive(),
  created_at: time,
  updated_at: time,
  accepted_at: time.nullable(),
  deadline_at: time.nullable(),
  submitted_at: time.nullable(),
  merged_at: time.nullable(),
  archived_at: time.nullable(),
  cancellation_requested: z.boolean(),
  attempt_count: count,
  tries: number,
  round: number,
  rounds: z.array(z.object({ asked: text, by: words, did: text })),
  waiting_messages: z.array(z.object({ text, by: words })),
  heard: z.array(z.union([z.number(), z.string()])),
  hold: z.null(),
  worker: z.null(),
  presented_to_agents: z.array(text).max(0),
  debts: z
    .array(z.object({ account: text, price_cents: count, paid_cents: count }))
    .max(0)
    .default([]),
  given_up: z
    .array(z.object({ account: text, at: time }))
    .max(0)
    .default([]),
  base: z.object({ branch: words, sha: sha.nullable(), is_default: z.boolean().optional() }),
  branch: text,
  head_sha: sha.nullable(),
  head_seen_at: time.nullable(),
  brief_sha: sha.nullable(),
  pushed_at: time.nullable(),
  run: run.nullable(),
  early_runs: z.array(z.object({ run, head_sha: sha })).default([]),
  past_runs: z.array(number),
  ci_runs: z.array(z.object({ id: number, attempt: number, sha, complete: z.boolean() })),
  pull_request: z.object({ number, url: text }).nullable(),
  former_pull_requests: z.array(number).default([]),
  merge,
  work: work.nullable(),
  other_tries: spent.default(NOTHING_SPENT),
  judgement: z.null().default(null),
  approval: z.null().default(null),
  sender_asked_at: z.null().default(null),
  delivery: z.null().default(null),
  // runs speak to a server alone
  handed_in: z.null().default(null),
  old_workflow: z.boolean().default(false),
  progress_at: z.null().default(null),
  failure: words,
  reasons: z.array(reason),
  notice: words,
  settings_problem: words.exactOptional(),
  woken_at: time.nullable(),
  comment: z.object({ id: number, synced_at: time }).nullable(),
  check: z.object({ id: number, sha, synced_at: time }).nullable(),
});

const turn = { round: number, try: number };
const method = z.enum(MERGE_METHODS);

/** Nobody subscribes in Actions mode, so there is nothing to announce. */
export const effectSchema: z.ZodType<GitHubEffect> = z.discriminatedUnion("type", [
  z.object({ type: z.literal("react"), comment_id: commentIdSchema, content: z.enum(["eyes", "rocket", "confused"]) }),
  z.object({ type: z.literal("push-brief"), ...turn }),
  z.object({ type: z.literal("sync-comment") }),
  z.object({ type: z.literal("sync-check") }),
  z.object({ type: z.literal("show-progress") }),
  z.object({ type: z.literal("cancel-run"), run_id: number }),
  z.object({ type: z.literal("read-result"), ...turn }),
  z.object({ type: z.literal("show-files"), ...turn }),
  z.object({ type: z.literal("deliver-files"), ...turn }),
  z.object({ type: z.literal("open-pull-request"), round: number }),
  z.object({ type: z.literal("read-facts"), runs: z.array(number) }),
  z.object({ type: z.literal("judge"), ...turn, sha: sha.nullable() }),
  z.object({ type: z.literal("merge"), sha, method }),
  z.object({ type: z.literal("enable-auto-merge"), sha, method }),
  z.object({ type: z.literal("disable-auto-merge") }),
  z.object({ type: z.literal("close-pull-request") }),
  z.object({ type: z.literal("delete-branch") }),
  z.object({ type: z.literal("read-run"), run_id: number.nullable() }),
]);

export const historySchema: z.ZodType<HistoryRow> = z.object({
  at: time,
  event: text,
  from: z.enum(STATUSES).nullable(),
  to: z.enum(STATUSES),
  by: words,
  note: words,
  outcome: jobOutcomeSchema.optional(),
});
