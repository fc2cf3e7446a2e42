/**
 * expire-pull-request: closes a pull request that nobody has touched, with a comment that says how to go on. GitHub is
 * asked first, since the webhook of a touch may be lost. One read and two writes.
 */
import type { Attempt } from "../../engine/ports/performer.ts";
import { counted } from "../../text/plural.ts";
import { attempted } from "../client/errors.ts";
import { laterOf } from "./one-call.ts";
import { done, reported, type Task } from "./task.ts";

/** Our own comments move the time too; they are written within it. */
const OWN_WRITES_MS = 3_600_000;
const DAY_MS = 24 * 3_600_000;

const unanswered = (days: number): string =>
  `The agent's question was not answered for ${counted(days, "day")}, so its job and this pull request are closed ` +
  "(`limits.expires_days`). The branch is kept.";

const notice = (days: number): string =>
  `This pull request waited for a person, and nobody touched it for ${counted(days, "day")}, so it is closed ` +
  "(`limits.expires_days`). Its branch is kept. To go on, reopen it; or comment `/job <text>` here, which opens a new " +
  "pull request from that branch.";

export async function expirePullRequest(task: Task): Promise<Attempt> {
  const { octokit, at, job, now } = task;
  const { pull_request, expiry } = job;
  if (pull_request === null || expiry === null) return done;
  const { number } = pull_request;
  const answer = await attempted(now, async (): Promise<Attempt> => {
    const { data } = await octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
      ...at,
      pull_number: number,
    });
    if (data.merged_at !== null)
      return reported({ type: "merged", pull_request: number, by: null, at: Date.parse(data.merged_at) });
    // an earlier performance of this may have closed it
    if (data.state === "closed" && !task.again) return reported({ type: "closed", pull_request: number, by: null });
    const touched_at = Date.parse(data.updated_at);
    if (data.state === "open" && touched_at > Math.max(expiry.seen_at, expiry.warned_at ?? 0) + OWN_WRITES_MS)
      return reported({ type: "touched", at: touched_at });
    const days = Math.max(1, Math.round((now() - expiry.seen_at) / DAY_MS));
    if (data.state === "open") {
      await octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
        ...at,
        issue_number: number,
        body: job.status === "waiting_for_user" ? unanswered(days) : notice(days),
      });
      await octokit.request("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", {
        ...at,
        pull_number: number,
        state: "closed",
      });
    }
    return reported({ type: "expired", pull_request: number });
  });
  if (answer.ok) return answer.value;
  if (answer.githubError.kind === "gone") return reported({ type: "closed", pull_request: number, by: null });
  return { ended: "later", ...laterOf(answer.githubError) };
}
