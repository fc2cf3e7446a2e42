/** Opens the issue of a month, once: one that is there already has the month's marker. */
import { monthName } from "../../domain/repository/monthly-report.ts";
import type { RepositoryAttempt } from "../../engine/ports/performer.ts";
import { type AppIdentity, botLogin } from "../client/app-identity.ts";
import { attempted } from "../client/errors.ts";
import { laterOf } from "./one-call.ts";
import type { SetUpTask } from "./set-up-pull-request.ts";

interface ReportTask extends Pick<SetUpTask, "octokit" | "at" | "now"> {
  readonly self: AppIdentity;
}

interface MonthReport {
  readonly month: string;
  readonly body: string | null;
}

const ENDS =
  "This issue comes once a month, since `reports.monthly` in `.github/journeyman.yml` says so. Close it when you have read it.";

const markerOf = (month: string): string => `<!-- journeyman:month:${month} -->`;

async function isThere({ octokit, at, self }: ReportTask, month: string): Promise<boolean> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/issues", {
    ...{ ...at, state: "all", creator: botLogin(self), since: `${month}-01T00:00:00Z`, per_page: 100 },
  });
  return data.some(({ body }) => body?.includes(markerOf(month)) === true);
}

/** In a repository without issues there is none. */
export async function reportMonth(task: ReportTask, { month, body }: MonthReport): Promise<RepositoryAttempt> {
  const { octokit, at, now } = task;
  if (body === null) return { ended: "done" };
  const written = await attempted(now, async () => {
    if (await isThere(task, month)) return;
    await octokit.request("POST /repos/{owner}/{repo}/issues", {
      ...{ ...at, title: `Journeyman in ${monthName(month)}`, body: `${markerOf(month)}\n${body}\n\n${ENDS}` },
    });
  });
  if (written.ok || written.githubError.kind !== "later") return { ended: "done" };
  return { ended: "later", ...laterOf(written.githubError) };
}
