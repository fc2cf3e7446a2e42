/** Derives from a commit's check suites which workflow runs are in progress and which failed silently. Pure. */
import { WORKFLOW_PATH } from "./branch-state.ts";
import { type FactsAnswer, type Suite, workflowOf } from "./facts-query.ts";
import type { DatedCheck } from "./newest-checks.ts";

export interface Begun {
  readonly open: readonly number[];
  readonly complete: readonly number[];
  /** One of the runs was started by the pull request. */
  readonly of_pull_request: boolean;
  /** Results of runs that have no check of their own. */
  readonly checks: readonly DatedCheck[];
  /** Whether all suites were listed. */
  readonly listed: boolean;
}

type Suites = NonNullable<NonNullable<FactsAnswer["head"]>["checkSuites"]>;

const PASSED: readonly (string | null)[] = ["SUCCESS", "NEUTRAL", "SKIPPED"];

const UNDECIDED: readonly (string | null)[] = ["CANCELLED", "STALE"];

/**
 * Runs that wait for approval, or that ended before their first job: an invalid file or a cancel. A run that was
 * cancelled later may have green checks, and jobs that never began and have none.
 */
function silent({ conclusion, checkRuns, workflowRun }: Suite): DatedCheck[] {
  if (workflowRun === null) return [];
  const held = conclusion === "ACTION_REQUIRED";
  const undecided = UNDECIDED.includes(conclusion);
  const reported = PASSED.includes(conclusion) || (checkRuns?.totalCount ?? 0) > 0;
  if (!held && !undecided && reported) return [];
  const ended = (conclusion ?? "unknown").toLowerCase().replaceAll("_", " ");
  const check = {
    name: workflowRun.workflow.name,
    state: held ? "action_required" : undecided ? "cancelled" : "failure",
    required: false,
    app_id: null,
    run_id: workflowRun.databaseId,
    ours: false,
    url: workflowRun.url,
    summary: held || undecided ? null : `The workflow run ended before its first job: ${ended}.`,
  } as const;
  return [
    { check, workflow: workflowOf(workflowRun), event: workflowRun.event, run: workflowRun.databaseId, whole: true },
  ];
}

/**
 * Suites of other apps stay queued forever when the app has nothing to report (github-facts 5.9), so only workflow runs
 * count.
 */
export function runsOf(suites: Suites | null): Begun {
  const foreign = (suites?.nodes ?? []).filter(
    ({ workflowRun }) => workflowRun !== null && workflowRun.file?.path.endsWith(WORKFLOW_PATH) !== true,
  );
  const over = foreign.filter(({ status }) => status === "COMPLETED");
  const idOf = ({ workflowRun }: Suite): number[] => (workflowRun === null ? [] : [workflowRun.databaseId]);
  return {
    open: foreign.filter(({ status }) => status !== "COMPLETED").flatMap(idOf),
    complete: over.flatMap(idOf),
    of_pull_request: foreign.some(({ workflowRun }) => workflowRun?.event.startsWith("pull_request")),
    checks: over.flatMap(silent),
    listed: suites?.pageInfo.hasNextPage !== true,
  };
}
