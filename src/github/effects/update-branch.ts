/**
 * update-branch: has GitHub merge the base into the pull request's branch, at the head that was judged. GitHub does it
 * later; the push event tells the new head.
 */
import type { Effect } from "../../domain/job/effect.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import * as said from "../render/merge-refusals.ts";
import { laterOf } from "./one-call.ts";
import { done, reported, type Task } from "./task.ts";

type UpdateBranch = Extract<Effect, { type: "update-branch" }>;

/** The head or the base is another by now, or they conflict: facts tell. */
const MOVED = /expected head|merge conflict|no new commits/i;

export async function updateBranch(task: Task, { sha }: UpdateBranch): Promise<Attempt> {
  const pull = task.job.pull_request;
  if (pull === null) return done;
  const answer = await attempted(task.now, () =>
    task.octokit.request("PUT /repos/{owner}/{repo}/pulls/{pull_number}/update-branch", {
      ...task.at,
      pull_number: pull.number,
      expected_head_sha: sha,
    }),
  );
  if (answer.ok) return done;
  const refused = (sentence: string | null) => reported({ type: "update-refused", sha, sentence });
  switch (answer.githubError.kind) {
    case "later":
      return { ended: "later", ...laterOf(answer.githubError) };
    case "gone":
    case "conflict":
      return refused(null);
    case "forbidden":
      return refused(said.notUpdated(answer.githubError.words));
    default:
      return refused(MOVED.test(answer.githubError.words) ? null : said.notUpdated(answer.githubError.words));
  }
}
