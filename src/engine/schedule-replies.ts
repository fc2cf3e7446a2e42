/** Replies to `/job schedules` and `/job resume`. */
import type { EventRepository, SlashCommand } from "../domain/job/github-event.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import type { RunEnd, ScheduleState } from "../domain/repository/schedule-schema.ts";
import { entryOf, isOpen, isPaused, scheduleOf } from "../domain/repository/schedules.ts";
import { minuteOf } from "../text/minute.ts";
import { cut } from "../text/text.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { RepositoryStore } from "./ports/repositories.ts";

interface Needs {
  readonly store: { readonly repositories: Pick<RepositoryStore, "byId"> };
  readonly handleRepository: HandleRepository;
}

type Asked = Extract<SlashCommand, { verb: "schedules" } | { verb: "resume" }>;

const NONE =
  "Nothing starts by itself in this repository, as far as its files were read. Schedules stand in `.github/journeyman.yml` or `config/CRONS.json` on the default branch.";
const NONE_PAUSED = "No schedule is paused.";
const MAX_REASON = 300;

const ENDS: Readonly<Record<RunEnd, string>> = {
  merged: "merged",
  done: "done, and not merged",
  nothing_to_do: "nothing had to be changed",
  question: "ended with a question",
  declined: "declined by the agent",
  failed: "failed",
  cancelled: "cancelled",
  told: "its event was sent",
  not_started: "could not be started",
  no_room: "was left out for a limit",
};

/** Foreign words may be in it, so that it stands as code. */
const reason = (why: string | null): string =>
  why === null ? "" : `: \`${cut(why.replace(/[`\s]+/g, " ").trim(), MAX_REASON)}\``;

function lastRun(schedule: ScheduleState): string {
  const { last, skipped_at } = schedule;
  if (last === null) return "it has not run yet";
  const job = last.job === null ? "" : `, job \`${last.job}\``;
  const end = last.came_to === null ? "open" : `${ENDS[last.came_to]}${reason(last.why)}`;
  const skipped =
    isOpen(schedule) && skipped_at !== null ? `; ${minuteOf(skipped_at)} was left out, since that run was open` : "";
  return `last run ${minuteOf(last.due_at)}${job}, ${end}${skipped}`;
}

function nextRun(schedule: ScheduleState, enabled: boolean): string {
  if (schedule.paused_at !== null)
    return `**paused** since ${minuteOf(schedule.paused_at)}, \`/job resume ${schedule.name}\` starts it again`;
  if (!enabled) return "off";
  return schedule.next === null ? "it never comes again" : `next ${minuteOf(schedule.next.due_at)}`;
}

function listOf(state: RepositoryState): string {
  const lines = state.schedules.flatMap((schedule) => {
    const entry = entryOf(state, schedule.name);
    if (entry === null) return [];
    const when = `\`${entry.schedule}\`${entry.timezone === "UTC" ? "" : ` in ${entry.timezone}`}`;
    return [`- \`${schedule.name}\` (${when}): ${nextRun(schedule, entry.enabled)}; ${lastRun(schedule)}.`];
  });
  const problems = state.automation.problems.map(({ problem }) => `- ❌ ${problem}`);
  return [...lines, ...problems].join("\n");
}

async function resumed({ handleRepository }: Needs, before: RepositoryState, name: string | null): Promise<string> {
  const named = name === null ? null : scheduleOf(before, name);
  if (name !== null && named === null)
    return `There is no schedule \`${name}\` in this repository. \`/job schedules\` lists them.`;
  const meant = before.schedules.filter((one) => isPaused(one) && (named === null || one === named));
  const stored = await handleRepository(before.id, { type: "resume-schedules", name });
  const shown = named === null ? meant : [named];
  const lines = shown.flatMap((one) => {
    const now = stored === null ? null : scheduleOf(stored.state, one.name);
    const entry = entryOf(before, one.name);
    return now === null || entry === null ? [] : [`\`${now.name}\` is not paused: ${nextRun(now, entry.enabled)}.`];
  });
  return lines.length === 0 ? NONE_PAUSED : lines.join("\n");
}

export async function schedulesReply(needs: Needs, repository: EventRepository, asked: Asked): Promise<string> {
  const state = await needs.store.repositories.byId(repository.id);
  if (state === null || (state.schedules.length === 0 && state.automation.problems.length === 0)) return NONE;
  return asked.verb === "schedules" ? listOf(state) : resumed(needs, state, asked.schedule);
}
