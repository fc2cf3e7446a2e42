/** Effects that are a single call: add a reaction, cancel a run or run it again, close a pull request, delete the branch. */

import type { Effect } from "../../domain/job/effect.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted, type GitHubError } from "../client/errors.ts";
import { addReaction } from "./reaction.ts";
import { done, type Task } from "./task.ts";

type Of<T extends Effect["type"]> = Extract<Effect, { type: T }>;

/** Makes the call; errors of the given kinds mean that nothing is left to do. */
async function unless(
  kinds: readonly GitHubError["kind"][],
  task: Task,
  call: () => Promise<unknown>,
): Promise<Attempt> {
  const answer = await attempted(task.now, call);
  if (answer.ok || kinds.includes(answer.githubError.kind)) return done;
  return { ended: "later", ...laterOf(answer.githubError) };
}

/** The result for errors that an effect does not handle itself: retry later. */
export function laterOf(githubError: GitHubError): { readonly reason: string; readonly after_ms?: number } {
  switch (githubError.kind) {
    case "later":
      return {
        reason: githubError.reason,
        ...(githubError.after_ms === undefined ? {} : { after_ms: githubError.after_ms }),
      };
    case "forbidden":
      return { reason: "GitHub refused: the App may lack a permission in this repository." };
    case "gone":
      return { reason: "GitHub no longer finds the repository, the branch or the pull request." };
    default:
      return { reason: "GitHub refused the request." };
  }
}

/** A reaction is optional: a deleted comment or a missing permission is not retried. */
export const react = (task: Task, { comment_id, content }: Of<"react">): Promise<Attempt> =>
  unless(["gone", "forbidden", "invalid"], task, () => addReaction(task.octokit, task.at, comment_id, content));

/** 409: the run has already ended. */
export const cancelRun = (task: Task, { run_id }: Of<"cancel-run">): Promise<Attempt> =>
  unless(["gone", "conflict"], task, () =>
    task.octokit.request("POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel", { ...task.at, run_id }),
  );

/** 403: the run goes on already, or is too old. The verdict after it says who must run it again. */
export async function rerunChecks(task: Task, { runs }: Of<"rerun-checks">): Promise<Attempt> {
  for (const run_id of runs) {
    const attempt = await unless(["gone", "forbidden", "conflict", "invalid"], task, () =>
      task.octokit.request("POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun", { ...task.at, run_id }),
    );
    if (attempt.ended !== "done") return attempt;
  }
  return done;
}

export async function closePullRequest(task: Task): Promise<Attempt> {
  const { pull_request } = task.job;
  if (pull_request === null) return done;
  return unless(["gone", "invalid"], task, () =>
    task.octokit.request("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", {
      ...task.at,
      pull_number: pull_request.number,
      state: "closed",
    }),
  );
}

/** 422 "Reference does not exist": a person or the merge has deleted it (github-facts 6.14). */
export const deleteBranch = (task: Task): Promise<Attempt> =>
  unless(["gone", "invalid"], task, () =>
    task.octokit.request("DELETE /repos/{owner}/{repo}/git/refs/{ref}", {
      ...task.at,
      ref: `heads/${task.job.branch}`,
    }),
  );
