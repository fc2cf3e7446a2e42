/**
 * What is kept of a repository in which the App is installed, as it is stored. All of it was read from GitHub and can be
 * read again, so an unknown field is dropped and a damaged one counts as not known.
 */
import * as z from "zod";
import { automationSchema, NO_AUTOMATION } from "../../contracts/automation.ts";
import { REPOSITORY_BUDGET_LIMITS } from "../../contracts/budget.ts";
import { MERGE_METHODS, repositorySettingsSchema, UNREAD_REPOSITORY_SETTINGS } from "../../contracts/settings.ts";
import { schedulesField } from "./schedule-schema.ts";
import { triggerStatesSchema } from "./triggers.ts";

const count = z.number().int().nonnegative();
const time = z.number();

const baseSchema = z.object({
  branch: z.string(),
  head_sha: z.string(),
  tree_sha: z.string(),
  has_workflow: z.boolean(),
  /** Whether that workflow keeps runs inside their cap; missing: nobody has looked. */
  has_gateway: z.boolean().optional(),
});

/** What is wrong with a workflow file. */
export const WORKFLOW_MISTAKES = [
  "unreadable",
  "no_push_trigger",
  "no_dispatch_trigger",
  "no_identity",
  "no_write_access",
  "no_run_action",
] as const;

const workflowSchema = z.object({
  mistakes: z.array(z.enum(WORKFLOW_MISTAKES)),
  /** A copy of the workflow of before the run action. */
  outdated: z.boolean(),
});

const fileSchema = z.object({ problem: z.string().nullable() });

/** The two files of a branch; null: not there. */
const filesSchema = z.object({ settings: fileSchema.nullable(), workflow: workflowSchema.nullable() });

export const setUpFactsSchema = z.object({
  /** The page of the repository. */
  url: z.string(),
  /** Null: no commit yet. */
  default_branch: z.string().nullable(),
  /** Of the default branch. */
  head: z.object({ sha: z.string(), tree: z.string() }).nullable(),
  /** Private or internal; so is one of which it was not read yet. */
  is_private: z.boolean().default(true),
  archived: z.boolean(),
  fork: z.boolean(),
  /** On the default branch. */
  files: filesSchema,
  /** On the branch of the set-up pull request; null: there is no such branch. */
  offered: filesSchema.extend({ sha: z.string() }).nullable(),
  pull_request: z.object({ number: count, state: z.enum(["open", "closed", "merged"]) }).nullable(),
  /** Whether any workflow other than ours runs on pull requests; null: none could be read. */
  ci_on_pull_request: z.boolean().nullable(),
  merge_methods: z.array(z.enum(MERGE_METHODS)),
  auto_merge_allowed: z.boolean(),
  /** Names of the checks that the default branch's rules require. */
  required_checks: z.array(z.string()),
});

/** Why runs of jobs did not get anywhere. */
export const RUN_PROBLEMS = [
  "no_run",
  "run_did_not_start",
  "no_key",
  "key_refused",
  "no_image",
  "set_up_failed",
  "action_not_allowed",
] as const;

const runsSchema = z.object({
  /** When a run of a job was first seen to begin, and its page. */
  first_run: z.object({ at: time, url: z.string().nullable() }).nullable(),
  /** When a run first came back with a result. */
  first_result_at: time.nullable(),
  /** What the newest run failed on; null: it did not, or there was none. */
  problem: z.object({ code: z.enum(RUN_PROBLEMS), at: time }).nullable(),
});

/**
 * `unknown`: GitHub was not asked yet. `reading`: it is being asked. `needless`: the files were there. `impossible`: no pull request can be opened now.
 * `offering`: it is being opened. `declined`: it was closed without a merge, which means no.
 */
export const SET_UP_PHASES = [
  "unknown",
  "reading",
  "needless",
  "impossible",
  "offering",
  "offered",
  "merged",
  "complete",
  "declined",
] as const;

const setUpSchema = z.object({
  phase: z.enum(SET_UP_PHASES),
  pull_request: count.nullable(),
  /** As they were last read; null: never. */
  facts: setUpFactsSchema.nullable().catch(null),
  /** Whether the merge of the pull request begins a first job: the box in its text, as a person has left it. */
  first_job: z.boolean().catch(true),
  /** When the pull request's text was last written. */
  shown_at: time.nullable(),
  /** When to look again after GitHub refused; null: not by itself. */
  retry_at: time.nullable(),
});

export const NO_SET_UP: z.output<typeof setUpSchema> = {
  phase: "unknown",
  pull_request: null,
  facts: null,
  first_job: true,
  shown_at: null,
  retry_at: null,
};

export const NO_RUNS: z.output<typeof runsSchema> = { first_run: null, first_result_at: null, problem: null };

/** Who may use commands is kept from settings of another version; if unreadable, the stricter choice applies. */
const commandsSchema = z
  .object({ commands: repositorySettingsSchema.shape.commands.catch({ allow: "admin" }) })
  .catch({ commands: { allow: "admin" } });

const observed = z.object({
  owner: z.string(),
  name: z.string(),
  id: z.number().int(),
  installation_id: z.number().int(),
  base: baseSchema.nullable().catch(null),
  settings: z.unknown(),
  settings_problem: z.string().nullable().catch(null),
  automation: automationSchema.catch(NO_AUTOMATION),
  /** Whether its files were read since it was installed, renamed or transferred. */
  files_read: z.boolean().catch(false),
  schedules: schedulesField,
  /** The open issue that says which schedules are paused; null: there is none. */
  schedule_notice: count.nullable().catch(null),
  set_up: setUpSchema.catch(NO_SET_UP),
  triggers: triggerStatesSchema.readonly().catch([]),
  runs: runsSchema.catch(NO_RUNS),
  /** What was told of the budget in its day or month of now; `most`: of a budget of that size. */
  budget_notices: z
    .array(
      z.object({
        limit: z.enum(REPOSITORY_BUDGET_LIMITS),
        period: z.string(),
        most: z.number(),
        level: z.enum(["warning", "exhausted"]),
      }),
    )
    .readonly()
    .catch([]),
  /** When a run was last started that fills the cache; null: never. */
  cache_filled_at: time.nullable().catch(null),
  /** The first moment of the month of which the next report is; null: none is wanted. */
  reports_since: time.nullable().catch(null),
});

/** Settings of another version are read from GitHub again before use. Until then they permit nothing. */
export const repositoryStateSchema = observed.transform(({ settings, base, ...kept }) => {
  const read = repositorySettingsSchema.nullable().safeParse(settings ?? null);
  if (read.success) return { ...kept, base, settings: read.data };
  return { ...kept, base: null, settings: { ...UNREAD_REPOSITORY_SETTINGS, ...commandsSchema.parse(settings) } };
});

export type SetUp = Readonly<z.output<typeof setUpSchema>>;
export type SetUpFacts = Readonly<z.output<typeof setUpFactsSchema>>;
export type WorkflowFacts = Readonly<z.output<typeof workflowSchema>>;
export type WorkflowMistake = (typeof WORKFLOW_MISTAKES)[number];
export type FilesOfBranch = Readonly<z.output<typeof filesSchema>>;
export type RunProblem = (typeof RUN_PROBLEMS)[number];
export type RepositoryRuns = Readonly<z.output<typeof runsSchema>>;
export type RepositoryState = Readonly<z.output<typeof repositoryStateSchema>>;
