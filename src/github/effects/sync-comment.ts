/**
 * sync-comment: updates the job's sticky comment. It is found by its stored id, or, when an earlier performance may
 * have posted it, by hidden marker and author, since anyone can paste the marker (github-facts 8.3).
 */

import { issueOf } from "../../domain/job/job.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { type AppIdentity, botLogin, sameLogin } from "../client/app-identity.ts";
import { attempted } from "../client/errors.ts";
import { jobMarker } from "../render/marker.ts";
import { statusComment } from "../render/status-comment.ts";
import { laterOf } from "./one-call.ts";
import { done, reported, type Task } from "./task.ts";

const PAGE = 100;
/** Pages that are searched for our comment. */
const MAX_PAGES = 5;

/** Our comment with this marker, created at or after `since`; null when there is none. */
export async function findComment(
  { octokit, at, self }: Pick<Task, "octokit" | "at"> & { readonly self: AppIdentity },
  issue: number,
  marker: string,
  since: number | null,
): Promise<number | null> {
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { data } = await octokit.request("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...at,
      issue_number: issue,
      per_page: PAGE,
      page,
      ...(since === null ? {} : { since: new Date(since).toISOString() }),
    });
    const ours = data.find(({ body, user }) => sameLogin(user?.login, botLogin(self)) && body?.includes(marker));
    if (ours) return ours.id;
    if (data.length < PAGE) return null;
  }
  return null;
}

export async function syncComment(task: Task): Promise<Attempt> {
  const { job, octokit, at, now } = task;
  const issue = issueOf(job.origin) ?? job.pull_request?.number ?? null;
  if (issue === null) return done;
  const body = statusComment(job, task);

  const answer = await attempted(now, async () => {
    const known =
      job.comment?.id ?? (task.again ? await findComment(task, issue, jobMarker(job.id), job.created_at) : null);
    if (known !== null) {
      const edited = await attempted(now, () =>
        octokit.request("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", { ...at, comment_id: known, body }),
      );
      if (edited.ok) return { ended: "synced", id: known } as const;
      if (edited.githubError.kind !== "gone") return { ended: "no", githubError: edited.githubError } as const;
    }
    const posted = await octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...at,
      issue_number: issue,
      body,
    });
    return { ended: "synced", id: posted.data.id } as const;
  });

  if (answer.ok && answer.value.ended === "synced")
    return reported({ type: "comment-synced", comment_id: answer.value.id });
  const githubError = answer.ok ? (answer.value.ended === "no" ? answer.value.githubError : null) : answer.githubError;
  if (githubError === null) return done;
  // A locked or deleted issue takes no comment, and the job must go on without it.
  if (githubError.kind === "gone" || githubError.kind === "forbidden") return done;
  return { ended: "later", ...laterOf(githubError) };
}
