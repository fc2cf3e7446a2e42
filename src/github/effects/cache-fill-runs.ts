/** Reads how the last run ended that fills the repository's cache: one of our workflow on the default branch. */
import { WORKFLOW_PATH } from "./branch-state.ts";
import type { Task } from "./task.ts";

const FILE = WORKFLOW_PATH.slice(WORKFLOW_PATH.lastIndexOf("/") + 1);
const RUNS = 10;
const FAILED: ReadonlySet<string | null> = new Set(["failure", "startup_failure", "timed_out"]);

/** Its page, where it failed; null: it did not, or there was none. A run that was cancelled says nothing. */
export async function failedCacheFill({ octokit, at }: Pick<Task, "octokit" | "at">, branch: string) {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", {
    ...{ ...at, workflow_id: FILE, branch, event: "workflow_dispatch", status: "completed", per_page: RUNS },
  });
  const last = data.workflow_runs.find(({ conclusion }) => FAILED.has(conclusion) || conclusion === "success");
  return last !== undefined && FAILED.has(last.conclusion) ? last.html_url : null;
}
