/**
 * sync-check: updates the check run `journeyman` on the job's head. A check belongs to a commit (github-facts 5.6):
 * when the head has moved, a new check is created there and the old one is completed.
 */
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { CHECK_NAME, checkOf, supersededCheck } from "../render/check.ts";
import { laterOf } from "./one-call.ts";
import { done, reported, type Task } from "./task.ts";

/** Our check on this commit from an earlier performance; null when there is none. */
async function findCheck({ octokit, at, job, self }: Task, sha: string): Promise<number | null> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
    ...at,
    ref: sha,
    check_name: CHECK_NAME,
    ...(self.appId === null ? {} : { app_id: self.appId }),
  });
  return data.check_runs.find(({ external_id }) => external_id === job.id)?.id ?? null;
}

async function sync(task: Task, sha: string): Promise<number> {
  const { octokit, at, job } = task;
  const face = checkOf(job, await task.log(job.id), task.publicUrl);
  const old = job.check !== null && job.check.sha !== sha ? job.check : null;
  const known = job.check?.sha === sha ? job.check.id : task.again ? await findCheck(task, sha) : null;
  if (known !== null) {
    await octokit.request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
      ...at,
      check_run_id: known,
      ...face,
    });
  }
  const made =
    known ??
    (
      await octokit.request("POST /repos/{owner}/{repo}/check-runs", {
        ...at,
        name: CHECK_NAME,
        head_sha: sha,
        external_id: job.id,
        ...face,
      })
    ).data.id;
  if (old !== null)
    await octokit.request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
      ...at,
      check_run_id: old.id,
      ...supersededCheck(sha),
    });
  return made;
}

/** A progress update is skipped if it cannot be shown now; a later one follows. */
export async function showProgress(task: Task): Promise<Attempt> {
  const attempt = await syncCheck(task);
  return attempt.ended === "later" ? done : attempt;
}

export async function syncCheck(task: Task): Promise<Attempt> {
  const sha = task.job.head_sha;
  if (sha === null) return done;
  const answer = await attempted(task.now, () => sync(task, sha));
  if (answer.ok) return reported({ type: "check-synced", check_id: answer.value, sha });
  // The commit is gone or the installation lacks `checks: write`; the comment shows the same.
  if (answer.githubError.kind !== "later") return done;
  return { ended: "later", ...laterOf(answer.githubError) };
}
