/** A repository in which the App is installed: what is known of it without asking GitHub, and how far its set-up is. */
import { type Automation, NO_AUTOMATION } from "../../contracts/automation.ts";
import { NO_RUNS, NO_SET_UP, type RepositoryState } from "./schema.ts";

export type {
  FilesOfBranch,
  RepositoryRuns,
  RepositoryState,
  RunProblem,
  SetUp,
  SetUpFacts,
  WorkflowFacts,
  WorkflowMistake,
} from "./schema.ts";

/** Named by its number, which survives renames, and by its name of now. */
export type IdentifiedRepository = Pick<RepositoryState, "id" | "owner" | "name" | "installation_id">;

/**
 * What a reading of the default branch tells. `base` null: must be read before use. `settings`: the last valid ones; null
 * when there never were any.
 */
export type ObservedRepository = Pick<
  RepositoryState,
  "id" | "owner" | "name" | "installation_id" | "base" | "settings" | "settings_problem"
> & {
  /** Missing: the files that say what starts by itself were not read. */
  readonly automation?: Automation;
};

/** One of which nothing is known yet. */
export const newRepository = ({ id, owner, name, installation_id }: IdentifiedRepository): RepositoryState => ({
  ...{ id, owner, name, installation_id },
  ...{ base: null, settings: null, settings_problem: null, automation: NO_AUTOMATION, files_read: false },
  ...{ schedules: [], schedule_notice: null },
  ...{ triggers: [], reports_since: null, budget_notices: [] },
  ...{ set_up: NO_SET_UP, runs: NO_RUNS, cache_filled_at: null },
});
