/** When time alone must wake a repository. */
import { nextReportAt } from "./monthly-report.ts";
import type { RepositoryState } from "./repository.ts";
import { nextScheduleAt } from "./schedules.ts";

/** Milliseconds since the epoch; null: nothing is due. */
export function nextTimerAt(
  state: Pick<RepositoryState, "id" | "set_up" | "schedules" | "reports_since">,
): number | null {
  const due = [state.set_up.retry_at, nextScheduleAt(state), nextReportAt(state)].filter((at) => at !== null);
  return due.length === 0 ? null : Math.min(...due);
}
