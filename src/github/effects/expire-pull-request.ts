/**
 * expire-pull-request: closes a pull request that nobody has touched, with a comment that says how to go on. GitHub is
 * asked first, since the webhook of a touch may be lost. One read and two writes; one read more where it is tried again, so that
 * nobody is told twice and our own word counts as no touch.
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

/** Which end of which pull request the comment is about. */
const markerOf = ({ expiry }: Task["job"]): string => `<!-- journeyman:expired:${expiry?.seen_at ?? 0} -->`;

/** When an earlier performance of this told of the end; null: none did. */
async function toldAt(task: Task, issue_number: number): Promise<number | null> {
  const { octokit, at, job, again } = task;
  if (!again) return null;
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
    ...at,
    issue_number,
    // by GitHub's clock, which may differ
    since: new Date(Math.max(0, (job.expiry?.seen_at ?? 0) - OWN_WRITES_MS)).toISOString(),
    per_page: 100,
  });
  const ours = data.find(({ body, user }) => user?.type === "Bot" && body?.includes(markerOf(job)) === true);
  return ours === undefined ? null : Date.parse(ours.updated_at);
}

async function tellAndClose(task: Task, number: number, told: boolean): Promise<void> {
  const { octokit, at, job, now } = task;
  const days = Math.max(1, Math.round((now() - (job.expiry?.seen_at ?? 0)) / DAY_MS));
  if (!told)
    await octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...at,
      issue_number: number,
      body: `${job.status === "waiting_for_user" ? unanswered(days) : notice(days)}\n\n${markerOf(job)}`,
    });
  await octokit.request("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", {
    ...at,
    pull_number: number,
    state: "closed",
  });
}

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
    if (data.state === "open") {
      const told = await toldAt(task, number);
      const touched_at = Date.parse(data.updated_at);
      const own = Math.max(expiry.seen_at, expiry.warned_at ?? 0, told ?? 0) + OWN_WRITES_MS;
      if (touched_at > own) return reported({ type: "touched", at: touched_at });
      await tellAndClose(task, number, told !== null);
    }
    return reported({ type: "expired", pull_request: number });
  });
  if (answer.ok) return answer.value;
  if (answer.githubError.kind === "gone") return reported({ type: "closed", pull_request: number, by: null });
  return { ended: "later", ...laterOf(answer.githubError) };
}
