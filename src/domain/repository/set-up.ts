/** How far a repository's set-up is: the phase of its pull request, and the steps that are done. */
import type { RepositoryState, SetUp, SetUpFacts, WorkflowFacts } from "./repository.ts";

/** The pull request's branch. Without a slash, so that GitHub's page for a new file finds where the branch's name ends. */
export const SET_UP_BRANCH = "journeyman-set-up";

/** No pull request is open yet. */
export const BEGINNING: ReadonlySet<SetUp["phase"]> = new Set(["unknown", "reading", "impossible", "offering"]);

/** The phase after this reading. */
export function nextPhase({ set_up: { phase } }: Pick<RepositoryState, "set_up">, facts: SetUpFacts): SetUp["phase"] {
  const found = facts.pull_request?.state;
  // Opened again by a person: the no is taken back.
  if (phase === "declined") return found === "open" ? "offered" : found === "merged" ? "merged" : phase;
  if (!BEGINNING.has(phase) && phase !== "offered") return phase;
  if (found === "merged") return "merged";
  if (found === "closed") return "declined";
  if (found === "open" || phase === "offered") return "offered";
  if (facts.fork || facts.files.workflow !== null) return "needless";
  return facts.archived || facts.default_branch === null ? "impossible" : "offering";
}

/** A workflow that starts runs with the run action, or one of before it, which still works. */
const works = (workflow: WorkflowFacts | null): boolean => workflow !== null && workflow.mistakes.length === 0;

/** The steps of a set-up, in their order. */
export interface SetUpSteps {
  /** `offered`: on the branch of the pull request. */
  readonly workflow: "missing" | "wrong" | "offered" | "done";
  /** Known from runs alone, since the App cannot see secrets. */
  readonly key: "unknown" | "wrong" | "done";
  readonly merged: boolean;
  readonly first_job: "none" | "running" | "done";
}

export function setUpSteps({ set_up, runs }: Pick<RepositoryState, "set_up" | "runs">): SetUpSteps {
  const { facts } = set_up;
  const here = facts?.files.workflow ?? null;
  const offered = facts?.offered?.workflow ?? null;
  const workflow = works(here) ? "done" : works(offered) ? "offered" : here || offered ? "wrong" : "missing";
  const problem = runs.problem?.code ?? null;
  const isKeyWrong = problem === "no_key" || problem === "key_refused";
  return {
    workflow,
    key: isKeyWrong ? "wrong" : runs.first_result_at === null ? "unknown" : "done",
    merged: facts !== null && (facts.pull_request?.state === "merged" || works(here)),
    first_job: runs.first_result_at !== null ? "done" : runs.first_run === null ? "none" : "running",
  };
}

/** Every step is done. */
export function isSetUp(state: Pick<RepositoryState, "set_up" | "runs">): boolean {
  const { workflow, key, merged, first_job } = setUpSteps(state);
  return workflow === "done" && key === "done" && merged && first_job === "done" && state.runs.problem === null;
}
