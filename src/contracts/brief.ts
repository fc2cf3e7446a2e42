/**
 * The brief: written by the App to `.jobs/{id}/` on the job branch, read by the agent. Holds no secrets. `job.md` is
 * the task as text; `job.config.json` has the fields below.
 */
import * as z from "zod";
import { cacheSchema } from "./cache.ts";
import { containerSchema } from "./container.ts";
import { IMAGE_FILE, MAX_IMAGES } from "./images.ts";
import { namedBySchema } from "./model-source.ts";
import { MAX_NOTE, MAX_NOTES } from "./result.ts";
import { reviewSchema } from "./review.ts";
import { theirPullRequestSchema } from "./their-pull-request.ts";

export const JOB_ID_PATTERN = /^[a-z0-9]{8}$/;

/** Folder of one job on its branch, e.g. `.jobs/ab12cd34`. */
export const jobFolder = (id: string): string => `.jobs/${id}`;

export const TASK_FILE = "job.md";
export const CONFIG_FILE = "job.config.json";
export const RESULT_FILE = "result.json";
export const LOG_FILE = "log.jsonl";

/** Line in the commit message of a brief that asks for a partial checkout. */
export const PARTIAL_TRAILER = "Job-Checkout: part";

/** The workflow that runs jobs. */
export const WORKFLOW_FILE = ".github/workflows/run-job.yml";

/** A push whose head commit message begins with this starts a run of `run-job.yml`. */
export const RUN_COMMIT_PREFIX = "Run job ";
/** Beginning of a brief's head commit, of a job of the market too, in any case, as GitHub compares it. */
export const BRIEF_PREFIX = /^(run|post) (?=job )/i;

export const briefSchema = z.object({
  version: z.literal(1),
  id: z.string().regex(JOB_ID_PATTERN),
  /** `owner/name`. */
  repository: z.string(),
  branch: z.string(),
  base: z.object({ branch: z.string(), sha: z.string() }),
  /** Merge the base into the branch before the agent begins; conflicts stay in the files as markers. */
  merge_base: z.boolean().optional(),
  /** GitHub makes the commit of the work, which signs it, since a branch's rules may want that. */
  signed_commits: z.boolean().optional(),
  title: z.string(),
  runner: z.enum(["actions", "market"]),
  /** GitHub login of the requester, if a person asked. */
  requester: z.string().nullable(),
  llm: z.object({
    provider: z.string(),
    model: z.string(),
    /** Limit for one answer in tokens; null: as many as the model allows. */
    max_tokens: z.number().int().positive().nullable().default(null),
    /** Changes to the requested model, in sentences that the result repeats. */
    notes: z.array(z.string().max(MAX_NOTE)).max(MAX_NOTES).catch([]),
    /**
     * Where each setting comes from: the repository's variables override the server's defaults. Missing in older
     * briefs.
     */
    named_by: namedBySchema.optional().catch(undefined),
  }),
  limits: z.object({
    minutes: z.number().positive(),
    turns: z.number().int().positive(),
    cost_cents: z.number().positive(),
  }),
  /** The cost limit is a budget's: nothing may go beyond it, and a run that is started again has no part of it. */
  budgeted: z.boolean().optional(),
  /** Instructions for every job, from the repository's settings on the base branch. */
  instructions: z.string().default(""),
  /** Globs of paths that the job may not change; the push restores them. */
  forbidden_paths: z.array(z.string()).default([]),
  /** Folders in the checkout, besides the files of the top folder; empty: everything. */
  checkout_paths: z.array(z.string()).default([]),
  /** Allowed hosts besides the model's provider; null: all hosts. */
  egress: z.array(z.string()).nullable().default(null),
  /** The repository's own image for the job; null: the agent's. */
  container: containerSchema.nullable().default(null),
  /** The repository's cache, which the job gets a copy of; null: none. */
  cache: cacheSchema.nullable().default(null),
  /** Counts the attempts of a round, from 1. */
  attempt: z.number().int().positive(),
  /** Counts the rounds, from 1; each message to the job starts a new round on the same branch. */
  round: z.number().int().positive(),
  issue: z.number().int().positive().nullable(),
  pull_request: z.number().int().positive().nullable(),
  /** The App's address for reports (`run-report.ts`), without a trailing slash; null: no reports. */
  app_url: z.string().nullable().default(null),
  /** Why the last attempt failed, for the model; null on a first attempt. */
  failure: z.string().nullable(),
  /** The ends of the logs of the checks that failed in the last attempt. */
  failed_checks: z.array(z.object({ name: z.string(), log: z.string() })).default([]),
  /** What people with write permission have said on the issue, oldest first; sanitised, and data only. */
  discussion: z
    .array(
      z.object({
        ...{ by: z.string(), at: z.string(), body: z.string() },
        /** It was said since the last brief. */
        is_new: z.boolean().optional(),
      }),
    )
    .default([]),
  /** What of it is left out, in sentences. */
  discussion_notes: z.array(z.string()).default([]),
  /** Images in the texts, as files of the job's folder. */
  images: z
    .array(z.object({ file: z.string().regex(IMAGE_FILE), address: z.string() }))
    .max(MAX_IMAGES)
    .default([]),
  /** Attachments that the texts have and the agent does not get, each with the reason, in sentences. */
  missing_attachments: z.array(z.string()).default([]),
  /** What the task's placeholders stand for; sanitised, and data only. Missing in older briefs. */
  trigger_values: z.array(z.object({ name: z.string(), text: z.string() })).default([]),
  /** The reviews of the pull request that this round is about, oldest first. Missing in older briefs. */
  reviews: z.array(reviewSchema).default([]),
  /** The person's pull request that the job works on; null: the job has one of its own. Missing in older briefs. */
  their_pull_request: theirPullRequestSchema.nullable().default(null),
  /** Requests and results of earlier rounds, oldest first. */
  history: z.array(
    z.object({
      asked: z.string(),
      did: z.string(),
      /** The round ended with a question, which `did` holds; what was asked for next is the answer. Missing: it did not. */
      is_question: z.literal(true).optional().catch(undefined),
    }),
  ),
});

export type Brief = z.infer<typeof briefSchema>;
