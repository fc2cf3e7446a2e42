/** Keeps one issue in the repository that says which schedules are paused; it is closed once none is. */
import { isPaused } from "../../domain/repository/schedules.ts";
import type { RepositoryAttempt } from "../../engine/ports/performer.ts";
import { type AppIdentity, botLogin } from "../client/app-identity.ts";
import { attempted } from "../client/errors.ts";
import { SCHEDULE_NOTICE_MARKER, SCHEDULE_NOTICE_TITLE, scheduleNoticeBody } from "../render/schedule-notice.ts";
import { laterOf } from "./one-call.ts";
import type { SetUpTask } from "./set-up-pull-request.ts";

interface NoticeTask extends Pick<SetUpTask, "octokit" | "at" | "now" | "again" | "repository"> {
  readonly self: AppIdentity;
}

/** One that an attempt has opened of which we have not heard. */
async function opened({ octokit, at, self }: NoticeTask): Promise<number | null> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/issues", {
    ...{ ...at, state: "open", creator: botLogin(self), per_page: 100 },
  });
  return data.find(({ body }) => body?.includes(SCHEDULE_NOTICE_MARKER) === true)?.number ?? null;
}

const shown = (issue: number | null): RepositoryAttempt => ({
  ended: "done",
  command: { type: "schedule-notice-shown", issue },
});

async function write(task: NoticeTask, issue: number | null, body: string): Promise<number> {
  const { octokit, at, repository } = task;
  const state = repository.schedules.some(isPaused) ? "open" : "closed";
  if (issue === null) {
    const { data } = await octokit.request("POST /repos/{owner}/{repo}/issues", {
      ...{ ...at, title: SCHEDULE_NOTICE_TITLE, body },
    });
    return data.number;
  }
  const route = "PATCH /repos/{owner}/{repo}/issues/{issue_number}";
  await octokit.request(route, { ...at, issue_number: issue, body, state });
  return issue;
}

/** Where it cannot be written, as in a repository without issues, `/job schedules` and the doctor say it. */
export async function showScheduleNotice(task: NoticeTask): Promise<RepositoryAttempt> {
  const { now, again, repository } = task;
  const is_paused = repository.schedules.some(isPaused);
  const issue = repository.schedule_notice ?? (again ? await opened(task) : null);
  if (issue === null && !is_paused) return { ended: "done" };
  const body = scheduleNoticeBody(repository);
  const written = await attempted(now, () => write(task, issue, body));
  if (written.ok) return shown(is_paused ? written.value : null);
  if (written.githubError.kind === "later") return { ended: "later", ...laterOf(written.githubError) };
  if (issue === null || !is_paused) return shown(null);
  // somebody has deleted it
  const anew = await attempted(now, () => write(task, null, body));
  return shown(anew.ok ? anew.value : null);
}
