/** The issue that says which schedules are paused. */

import type { RepositoryState } from "../../domain/repository/repository.ts";
import { FAILURES_TO_PAUSE, isPaused } from "../../domain/repository/schedules.ts";
import { minuteOf } from "../../text/minute.ts";
import { head } from "../../text/text.ts";
import { answerMarker } from "./marker.ts";
import { code, cutBody, escapeMarkdown } from "./plain.ts";

export const SCHEDULE_NOTICE_MARKER = answerMarker("schedules");
export const SCHEDULE_NOTICE_TITLE = "Schedules of this repository are paused";

const MAX_REASON = 500;

type Known = Pick<RepositoryState, "schedules">;

export function scheduleNoticeBody({ schedules }: Known): string {
  const paused = schedules.filter(isPaused);
  if (paused.length === 0) return cutBody("No schedule is paused any more.", `\n\n${SCHEDULE_NOTICE_MARKER}`);
  const lines = paused.map(({ name, last }) => {
    const job = last?.job == null ? "" : `, job ${code(last.job)}`;
    const why = last?.why == null ? "" : `: ${escapeMarkdown(head(last.why, MAX_REASON))}`;
    return `- ${code(name)} (last run: ${last === null ? "none" : minuteOf(last.due_at)}${job})${why}`;
  });
  const body = [
    `Each of these schedules has failed ${FAILURES_TO_PAUSE} times in a row, and does not start any more:`,
    lines.join("\n"),
    `When what keeps it from working is mended, comment ${code(`/job resume ${paused[0]?.name ?? ""}`)} here, or ${code("/job resume")} for all of them. This issue is closed then.`,
  ];
  return cutBody(body.join("\n\n"), `\n\n${SCHEDULE_NOTICE_MARKER}`);
}
