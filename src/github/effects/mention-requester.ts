/**
 * mention-requester: tells the requester in a comment of its own that the job waits for a person. Where an earlier
 * performance may have posted it, it is looked for by its hidden marker.
 */
import type { Effect } from "../../domain/job/effect.ts";
import { issueOf } from "../../domain/job/job.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { mentionMarker } from "../render/marker.ts";
import { mentionComment } from "../render/mention.ts";
import { laterOf } from "./one-call.ts";
import { findComment } from "./sync-comment.ts";
import { done, reported, type Task } from "./task.ts";

export async function mentionRequester(
  task: Task,
  { round }: Extract<Effect, { type: "mention-requester" }>,
): Promise<Attempt> {
  const { job, octokit, at, now, again, web_url } = task;
  const issue_number = issueOf(job.origin);
  const body = mentionComment(job, web_url);
  if (issue_number === null || body === null) return done;
  const answer = await attempted(now, async () => {
    const marker = mentionMarker(job.id, round);
    const known = again ? await findComment(task, issue_number, marker, job.created_at) : null;
    if (known !== null) return known;
    const posted = await octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...at,
      issue_number,
      body,
    });
    return posted.data.id;
  });
  if (answer.ok) return reported({ type: "requester-mentioned", round, mention_id: answer.value });
  const { githubError } = answer;
  // a locked or deleted issue takes no comment, and the job's own one says the same
  if (githubError.kind === "gone" || githubError.kind === "forbidden") return done;
  return { ended: "later", ...laterOf(githubError) };
}
