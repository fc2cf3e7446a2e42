/**
 * The brief: what the App writes to `.jobs/{id}/` on the job branch and the agent reads. Never a secret.
 * `job.md` holds the task as text; `job.config.json` holds everything below.
 */
import { z } from "zod";
import { namedBySchema } from "./model-source.ts";
import { MAX_NOTE, MAX_NOTES } from "./result.ts";

export const JOB_ID_PATTERN = /^[a-z0-9]{8}$/;

/** Folder of one job on its branch, e.g. `.jobs/ab12cd34`. */
export const jobFolder = (id: string): string => `.jobs/${id}`;

export const TASK_FILE = "job.md";
export const CONFIG_FILE = "job.config.json";
export const RESULT_FILE = "result.json";
export const LOG_FILE = "log.jsonl";

/** In the message of a brief whose checkout shall hold a part of the repository alone. */
export const PARTIAL_TRAILER = "Job-Checkout: part";

/** The workflow that runs jobs. */
export const WORKFLOW_FILE = ".github/workflows/run-job.yml";

/** Head commit messages that start a run of `run-job.yml` begin with this. */
export const RUN_COMMIT_PREFIX = "Run job ";

export const briefSchema = z.object({
  version: z.literal(1),
  id: z.string().regex(JOB_ID_PATTERN),
  /** `owner/name`. */
  repository: z.string(),
  branch: z.string(),
  base: z.object({ branch: z.string(), sha: z.string() }),
  /** The base is merged into the branch before the agent begins; conflicts are left in the files, as markers. */
  merge_base: z.boolean().optional(),
  title: z.string(),
  runner: z.enum(["actions", "market"]),
  /** GitHub login of the person who asked, if one did. */
  requester: z.string().nullable(),
  llm: z.object({
    provider: z.string(),
    model: z.string(),
    /** Tokens of one answer; null: as many as fit the model. */
    max_tokens: z.number().int().positive().nullable().default(null),
    /** What was changed about the model that was asked for; the result tells it on. */
    notes: z.array(z.string().max(MAX_NOTE)).max(MAX_NOTES).catch([]),
    /** What the server names gives way to the repository's variables. Missing in older briefs. */
    named_by: namedBySchema.optional().catch(undefined),
  }),
  limits: z.object({
    minutes: z.number().positive(),
    turns: z.number().int().positive(),
    cost_cents: z.number().positive(),
  }),
  /** The repository's own words for every job, from its settings on the base branch. */
  instructions: z.string().default(""),
  /** Globs of what the job may not change; it is put back before the push. */
  forbidden_paths: z.array(z.string()).default([]),
  /** Folders that the checkout holds, the top folder's own files aside; none: all of them. */
  checkout_paths: z.array(z.string()).default([]),
  /** Hosts that can be reached beside the model's provider; null: all of them. */
  egress: z.array(z.string()).nullable().default(null),
  /** 1 for the first try of a round. */
  attempt: z.number().int().positive(),
  /** 1 for the first round; each message starts another on the same branch. */
  round: z.number().int().positive(),
  issue: z.number().int().positive().nullable(),
  pull_request: z.number().int().positive().nullable(),
  /** Where the run tells the App how it goes (`run-report.ts`), without a slash at its end; null: nowhere. */
  app_url: z.string().nullable().default(null),
  /** Why the last try failed, in words for the model; null on a first try. */
  failure: z.string().nullable(),
  /** The ends of the logs of the checks that failed then. */
  failed_checks: z.array(z.object({ name: z.string(), log: z.string() })).default([]),
  /** What earlier rounds were asked and did, oldest first. */
  history: z.array(z.object({ asked: z.string(), did: z.string() })),
});

export type Brief = z.infer<typeof briefSchema>;
