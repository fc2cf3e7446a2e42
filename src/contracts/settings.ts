/**
 * `.github/journeyman.yml`, read from the default branch: what a repository's owner decides. Strict: an unknown key is
 * an error that names it, since a misspelt `allowed_paths` must not open everything.
 */
import { z } from "zod";
import { expandGlob, globMistake } from "../text/glob.ts";
import { egressHost, MAX_EGRESS_HOSTS } from "./egress.ts";

export const MERGE_METHODS = ["merge", "squash", "rebase"] as const;

const MAX_GLOBS = 100;
/** What the braces of all globs of a list may stand for. */
const MAX_EXPANDED = 300;

const glob = z.string().superRefine((text, { addIssue }) => {
  const mistake = globMistake(text);
  if (mistake !== null) addIssue(mistake);
});

const globs = z
  .array(glob)
  .max(MAX_GLOBS)
  .refine((all) => all.flatMap(expandGlob).length <= MAX_EXPANDED, {
    error: `stands for more than ${MAX_EXPANDED} globs: write fewer braces`,
    when: ({ value, issues }) => issues.length === 0 && Array.isArray(value),
  });

const autoMerge = z
  .strictObject({
    enabled: z.boolean().default(false),
    method: z.enum(MERGE_METHODS).default("squash"),
    /** Globs; a changed file that matches none of them keeps the pull request for a person. */
    allowed_paths: globs.default(["**"]),
    /** false: a pull request that nothing checks may merge. */
    require_checks: z.boolean().default(true),
    /** Names of checks or status contexts that must be there and pass, whatever GitHub's rules say. */
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

const limits = z
  .strictObject({
    minutes: z.number().int().min(1).max(350).default(30),
    turns: z.number().int().min(1).max(500).default(60),
    cost_cents: z.number().positive().max(100_000).default(500),
  })
  .prefault({});

const commands = z
  .strictObject({
    /** Which permission may command: the default lets everyone with write access. */
    allow: z.enum(["write", "admin"]).default("write"),
  })
  .prefault({});

/** When what a stranger hands in may run: checks of a branch here see the repository's secrets. */
export const RUN_CHECKS = ["ask", "after_judge", "always"] as const;

const market = z
  .strictObject({
    /** May jobs of this repository be given to the market at all? */
    enabled: z.boolean().default(false),
    run_checks: z.enum(RUN_CHECKS).default("ask"),
  })
  .prefault({});

/** A folder as git's sparse checkout takes it: no pattern, no option. */
const folder = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^-/:!*?[\]\\\0\r\n][^:!*?[\]\\\0\r\n]*$/, "is a folder's path, without patterns and a slash in front");

export const MAX_INSTRUCTIONS = 10_000;

export const repositorySettingsSchema = z.strictObject({
  auto_merge: autoMerge,
  llm,
  limits,
  commands,
  market,
  /** What every job here should know, beside AGENTS.md and CLAUDE.md of the base branch. */
  instructions: z.string().max(MAX_INSTRUCTIONS).default(""),
  /** Globs; what a job changes there is put back before its work is pushed. */
  forbidden_paths: globs.default([]),
  /** Folders that jobs work in, the top folder's own files aside; the others stay on GitHub. None: everything is there. */
  checkout_paths: z.array(folder).max(100).default([]),
  /** Hosts that jobs may reach beside the model's provider. Missing: all of them; a key without a value is a mistake. */
  egress: z.array(egressHost).max(MAX_EGRESS_HOSTS).optional(),
});

export type RepositorySettings = z.infer<typeof repositorySettingsSchema>;

/** What counts where the repository has no file: nothing merges by itself. */
export const DEFAULT_REPOSITORY_SETTINGS: RepositorySettings = repositorySettingsSchema.parse({});

/** What they say of the market; older copies of them say nothing. */
export const marketOf = (settings: Partial<Pick<RepositorySettings, "market">> | null): RepositorySettings["market"] =>
  settings?.market ?? DEFAULT_REPOSITORY_SETTINGS.market;

/** What counts while the file cannot be read and none that could is known: it may have closed the network. */
export const UNREAD_REPOSITORY_SETTINGS: RepositorySettings = { ...DEFAULT_REPOSITORY_SETTINGS, egress: [] };
