/** Starts the workflow on the default branch, where it fills the repository's cache. */
import type { RepositoryAttempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { WORKFLOW_PATH } from "./branch-state.ts";
import { laterOf } from "./one-call.ts";
import type { SetUpTask } from "./set-up-pull-request.ts";

const FILE = WORKFLOW_PATH.slice(WORKFLOW_PATH.lastIndexOf("/") + 1);

/** What keeps the workflow from starting is found by the doctor, so it is not tried again. */
const FINAL: ReadonlySet<string> = new Set(["gone", "forbidden", "invalid"]);

export async function startFill({
  octokit,
  at,
  now,
}: Pick<SetUpTask, "octokit" | "at" | "now">): Promise<RepositoryAttempt> {
  const answer = await attempted(now, async () => {
    const { data } = await octokit.request("GET /repos/{owner}/{repo}", at);
    await octokit.request("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", {
      ...at,
      workflow_id: FILE,
      ref: data.default_branch,
    });
  });
  if (answer.ok || FINAL.has(answer.githubError.kind))
    return { ended: "done", command: { type: "cache-fill-started" } };
  return { ended: "later", ...laterOf(answer.githubError) };
}
