/**
 * `.github/journeyman.yml` on the default branch: the settings of a repository's owner. Strict: an unknown key is an
 * error that names it, since a misspelt `allowed_paths` would otherwise allow everything.
 */
import * as z from "zod";
import { schedulesSchema, triggersSchema } from "./automation.ts";
import { budgetSchema } from "./budget.ts";
import { cacheSchema } from "./cache.ts";
import { containerSchema } from "./container.ts";
import { egressHost, MAX_EGRESS_HOSTS } from "./egress.ts";
import { globs } from "./globs.ts";

export const MERGE_METHODS = ["merge", "squash", "rebase"] as const;

const autoMerge = z
  .strictObject({
    enabled: z.boolean().default(false),
    method: z.enum(MERGE_METHODS).default("squash"),
    /** Globs; a pull request that changes any other file needs a person to merge it. */
    allowed_paths: globs.default(["**"]),
    /** false: a pull request without checks may merge. */
    require_checks: z.boolean().default(true),
    /** Checks or status contexts that must exist and pass, in addition to GitHub's rules. */
    required_checks: z.array(z.string().min(1)).max(100).default([]),
    delete_branch: z.boolean().default(true),
  })
  .prefault({});

const llm = z
  .strictObject({
    provider: z.string().min(1).optional(),
    model: z.string().min(1).optional(),
    max_tokens: z.number().int().min(256).max(200_000).optional(),
  })
  .prefault({});

/** How many jobs may have something at once; missing: as many as want to. */
export const PLACE_LIMITS = [
  "running",
  "running_per_requester",
  "open_pull_requests",
  "open_pull_requests_per_requester",
] as const;
export type PlaceLimit = (typeof PLACE_LIMITS)[number];

const places = z.number().int().min(1).max(1_000).optional();

const limits = z
  .strictObject({
    minutes: z.number().int().min(1).max(350).default(30),
    turns: z.number().int().min(1).max(500).default(60),
    cost_cents: z.number().positive().max(100_000).default(500),
    running: places,
    running_per_requester: places,
    open_pull_requests: places,
    open_pull_requests_per_requester: places,
    /** A pull request that waits so long for a person is closed. Missing: none is. */
    expires_days: z.number().int().min(1).max(365).optional(),
  })
  .prefault({});

const commands = z
  .strictObject({
    /** The permission needed for commands; by default write access. */
    allow: z.enum(["write", "admin"]).default("write"),
  })
  .prefault({});

/** What a review that asks for changes leads to on a job's pull request: a round of the job, or nothing. */
export const REVIEWS = ["respond", "ignore"] as const;
/** A login, or a team as `org/team`. */
const REVIEWER = /^[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\/[A-Za-z0-9][\w.-]{0,99})?$/;

const pullRequest = z
  .strictObject({
    /** Asked for a review of every job's pull request. */
    reviewers: z.array(z.string().regex(REVIEWER, "is a login, or a team as org/team")).max(15).default([]),
    labels: z.array(z.string().trim().min(1).max(50)).max(20).default([]),
    /** Whoever asked for the job is assigned to its pull request. */
    assign_requester: z.boolean().default(false),
  })
  .prefault({});

/** When checks may run on a stranger's submission: on a branch of this repository they can read its secrets. */
export const RUN_CHECKS = ["ask", "after_judge", "always"] as const;

const market = z
  .strictObject({
    /** Whether jobs of this repository may be offered on the market. */
    enabled: z.boolean().default(false),
    run_checks: z.enum(RUN_CHECKS).default("ask"),
  })
  .prefault({});

/** A folder for git's sparse checkout: no pattern, no option. */
const folder = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^-/:!*?[\]\\\0\r\n][^:!*?[\]\\\0\r\n]*$/, "is the path of a folder, without patterns or a leading slash");

const reportsSchema = z
  .strictObject({
    /** An issue at the end of each month says what jobs have cost. */
    monthly: z.boolean().default(false),
  })
  .prefault({});

export const MAX_INSTRUCTIONS = 10_000;

export const repositorySettingsSchema = z.strictObject({
  auto_merge: autoMerge,
  llm,
  limits,
  commands,
  reviews: z.enum(REVIEWS).default("respond"),
  market,
  pull_request: pullRequest,
  budget: budgetSchema,
  reports: reportsSchema,
  /** Instructions for every job, besides AGENTS.md and CLAUDE.md of the base branch. */
  instructions: z.string().max(MAX_INSTRUCTIONS).default(""),
  /** Globs of paths that jobs may not change; the push restores them. */
  forbidden_paths: globs.default([]),
  /** Folders in the checkout, besides the files of the top folder; empty: everything. */
  checkout_paths: z.array(folder).max(100).default([]),
  /** Allowed hosts besides the model's provider. Missing: all hosts. A key without a value is an error. */
  egress: z.array(egressHost).max(MAX_EGRESS_HOSTS).optional(),
  /** The image that jobs run in. Missing: the agent's own. */
  container: containerSchema.optional(),
  /** What every job starts with in its home. Missing: nothing. */
  cache: cacheSchema.optional(),
});

export type RepositorySettings = z.infer<typeof repositorySettingsSchema>;

/** The whole file: what starts by itself belongs to the repository and to none of its jobs. */
export const settingsFileSchema = repositorySettingsSchema.extend({
  schedules: schedulesSchema.default([]),
  triggers: triggersSchema.default([]),
});

/** Applies when the repository has no settings file: nothing merges automatically. */
export const DEFAULT_REPOSITORY_SETTINGS: RepositorySettings = repositorySettingsSchema.parse({});

/** The market settings; cached settings of older versions lack them. */
export const marketOf = (settings: Partial<Pick<RepositorySettings, "market">> | null): RepositorySettings["market"] =>
  settings?.market ?? DEFAULT_REPOSITORY_SETTINGS.market;

/** The same of reviews. */
export const reviewsOf = (
  settings: Partial<Pick<RepositorySettings, "reviews">> | null,
): RepositorySettings["reviews"] => settings?.reviews ?? DEFAULT_REPOSITORY_SETTINGS.reviews;
/** How pull requests are shown to people; cached settings of older versions do not say. */
export const pullRequestOf = (
  settings: Partial<Pick<RepositorySettings, "pull_request">> | null,
): RepositorySettings["pull_request"] => settings?.pull_request ?? DEFAULT_REPOSITORY_SETTINGS.pull_request;

/**
 * Applies when the file is unreadable and no earlier version is known. No network access, since the file may have
 * restricted it.
 */
export const UNREAD_REPOSITORY_SETTINGS: RepositorySettings = { ...DEFAULT_REPOSITORY_SETTINGS, egress: [] };
