/**
 * Schedules of a repository: when each comes next, and what follows from how its runs end. A schedule has one open run at
 * most, makes up for one time at most after the server was away, and is paused after some failures in a row.
 */
import type { Automation, Schedule } from "../../contracts/automation.ts";
import { nextTime } from "../../contracts/cron.ts";
import { counted } from "../../text/plural.ts";
import type { Wanted } from "../pending-effect.ts";
import type { RepositoryEffect } from "./effect.ts";
import { published } from "./publish.ts";
import type { RepositoryState } from "./repository.ts";
import type { RunEnd, ScheduleState } from "./schedule-schema.ts";

/** In a row. */
export const FAILURES_TO_PAUSE = 3;

/** Within this, schedules of one time begin one after another. */
export const SPREAD_MS = 60_000;
const CHARACTER_STEP = 31;
const PRIME = 7_919;

export interface Scheduled {
  readonly state: RepositoryState;
  readonly effects: readonly Wanted<RepositoryEffect>[];
}

type Parts = Pick<RepositoryState, "id" | "automation" | "schedules" | "schedule_notice">;

export const sameSchedule = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Names in a file differ in more than the case of their letters. */
export const entryOf = ({ automation }: Pick<RepositoryState, "automation">, name: string) =>
  automation.schedules.find((one) => sameSchedule(one.name, name)) ?? null;

export const scheduleOf = ({ schedules }: Pick<RepositoryState, "schedules">, name: string): ScheduleState | null =>
  schedules.find((one) => sameSchedule(one.name, name)) ?? null;

export const isOpen = ({ last }: Pick<ScheduleState, "last">): boolean => last !== null && last.came_to === null;
export const isPaused = ({ paused_at }: Pick<ScheduleState, "paused_at">): boolean => paused_at !== null;

const isFailure = (end: RunEnd | null | undefined): boolean => end === "failed" || end === "not_started";

/** Always the same for a schedule. The prime sets names apart that differ in one letter. */
function spread(id: number, name: string): number {
  let sum = id % SPREAD_MS;
  for (const character of name.toLowerCase())
    sum = (sum * CHARACTER_STEP + (character.codePointAt(0) ?? 0)) % SPREAD_MS;
  return (sum * PRIME) % SPREAD_MS;
}

const patternOf = ({ schedule, timezone }: Pick<Schedule, "schedule" | "timezone">): string =>
  `${schedule} ${timezone}`;

function nextOf({ schedule, timezone, name }: Schedule, id: number, after: number, now: number) {
  const due_at = nextTime(schedule, timezone, after);
  return due_at === null ? null : { due_at, starts_at: due_at + spread(id, name), set_at: now };
}

const fresh = (name: string): ScheduleState => ({
  ...{ name, pattern: "", next: null, last: null, skipped_at: null },
  ...{ failures: 0, paused_at: null },
});

/** A next time that was worked out by a clock that was ahead is worked out again; a run of then has its own id. */
function followed(before: ScheduleState, entry: Schedule, id: number, now: number): ScheduleState {
  const pattern = patternOf(entry);
  const { next } = before;
  const named = { ...before, name: entry.name, pattern };
  if (!entry.enabled || isPaused(before)) return { ...named, next: null };
  const isKept = next !== null && before.pattern === pattern && next.set_at <= now;
  return isKept ? named : { ...named, next: nextOf(entry, id, now, now) };
}

const wanted = (effect: RepositoryEffect, now: number): Wanted<RepositoryEffect> => ({
  ...{ effect, urgency: "now", not_before: now },
});

const shows = (now: number) => wanted({ type: "show-schedule-notice" }, now);

const pausedIn = ({ schedules }: Pick<Parts, "schedules">): string =>
  schedules
    .filter(isPaused)
    .map(({ name }) => name)
    .join("\n");

/** What the files say now. What is kept of a schedule goes with its name. */
export function withAutomation(before: RepositoryState, automation: Automation, now: number): Scheduled {
  const schedules = automation.schedules.map((entry) =>
    followed(scheduleOf(before, entry.name) ?? fresh(entry.name), entry, before.id, now),
  );
  const state = { ...before, automation, schedules };
  const isTold = before.schedule_notice !== null && pausedIn(state) !== pausedIn(before);
  return { state, effects: isTold ? [shows(now)] : [] };
}

const replaced = (state: RepositoryState, next: ScheduleState): RepositoryState => ({
  ...state,
  schedules: state.schedules.map((one) => (sameSchedule(one.name, next.name) ? next : one)),
});

const started = (before: ScheduleState, due_at: number): ScheduleState => ({
  ...before,
  last: { due_at, job: null, came_to: null, why: null },
});

/** Starts what is due; null: nothing is. Of several times that went by while the server was away the first is made up for. */
export function startDue(state: RepositoryState, now: number): Scheduled | null {
  const first = nextScheduleAt(state);
  if (first === null || first > now) return null;
  const effects: Wanted<RepositoryEffect>[] = [];
  const schedules = state.schedules.map((before): ScheduleState => {
    const { name, next: due } = before;
    const entry = due === null || due.starts_at > now ? null : entryOf(state, name);
    if (due === null || entry === null) return before;
    const { due_at } = due;
    const next = nextOf(entry, state.id, Math.max(now, due_at), now);
    const later = { ...before, next };
    if (before.last?.due_at === due_at) return later;
    effects.push(wanted({ type: isOpen(before) ? "look-at-schedule" : "start-schedule", name, due_at }, now));
    return isOpen(before) ? later : started(later, due_at);
  });
  return { state: { ...state, schedules }, effects };
}

/** Failures in a row, with this end in place of the one that was known of the same run. */
function failuresWith({ failures, last }: ScheduleState, came_to: RunEnd | null): number {
  const others = Math.max(0, failures - (isFailure(last?.came_to) ? 1 : 0));
  if (isFailure(came_to)) return others + 1;
  return came_to === null || came_to === "cancelled" || came_to === "no_room" ? others : 0;
}

/** A run that its schedule knows by this time, or by its job. */
export interface RunNews {
  readonly name: string;
  readonly due_at: number;
  readonly job: string | null;
  /** Null: it is open. */
  readonly came_to: RunEnd | null;
  readonly why: string | null;
}

function pausedEvent(state: RepositoryState, { name, failures, last }: ScheduleState, now: number) {
  const why = last?.why == null ? "" : `: ${last.why}`;
  const text = `It has failed ${counted(failures, "time")} in a row${why}\n\nComment /job resume ${name} on any issue to start it again.`;
  const due_at = last === null ? null : new Date(last.due_at).toISOString();
  return published(
    state,
    "schedule.paused",
    { subject: name, text, more: { schedule: name, failures, job_id: last?.job ?? null, due_at } },
    now,
  );
}

/** Null: it is news of no run that is known, or no news. */
export function runTold(state: RepositoryState, news: RunNews, now: number): Scheduled | null {
  const before = scheduleOf(state, news.name);
  const last = before?.last ?? null;
  if (before === null || last === null || last.due_at !== news.due_at) return null;
  const { job, came_to, why } = news;
  if (last.job === job && last.came_to === came_to && last.why === why) return null;
  const failures = failuresWith(before, came_to);
  const told = { ...before, failures, last: { due_at: last.due_at, job, came_to, why } };
  if (failures < FAILURES_TO_PAUSE || isPaused(before)) return { state: replaced(state, told), effects: [] };
  const paused = { ...told, next: null, paused_at: now };
  return { state: replaced(state, paused), effects: [shows(now), pausedEvent(state, paused, now)] };
}

/** The run before was looked at, and is open or has ended: then this one begins, unless that end has paused it. */
function lookedAt(state: RepositoryState, news: RunNews, due_at: number, now: number): Scheduled | null {
  const told = runTold(state, news, now);
  const known = told?.state ?? state;
  const before = scheduleOf(known, news.name);
  if (before === null || isPaused(before)) return told;
  if (isOpen(before))
    return { state: replaced(known, { ...before, skipped_at: due_at }), effects: told?.effects ?? [] };
  const effects = [...(told?.effects ?? []), wanted({ type: "start-schedule", name: before.name, due_at }, now)];
  return { state: replaced(known, started(before, due_at)), effects };
}

/** `name` null: all that are paused. Null: none of that name is paused. */
function resumed(state: RepositoryState, name: string | null, now: number): Scheduled | null {
  const isMeant = (one: ScheduleState) => isPaused(one) && (name === null || sameSchedule(one.name, name));
  if (!state.schedules.some(isMeant)) return null;
  const schedules = state.schedules.map((before): ScheduleState => {
    const entry = entryOf(state, before.name);
    if (!isMeant(before) || entry === null) return before;
    return followed({ ...before, failures: 0, paused_at: null, next: null }, entry, state.id, now);
  });
  return { state: { ...state, schedules }, effects: [shows(now)] };
}

export type ScheduleCommand =
  /** What became of a run: its job was made, has ended, or was taken up again. */
  | { readonly type: "schedule-run-told"; readonly run: RunNews }
  /** The run before, which was open by all that was known, when the schedule was due again. */
  | { readonly type: "schedule-looked-at"; readonly run: RunNews; readonly due_at: number }
  /** A person takes a paused schedule up again; null: all. */
  | { readonly type: "resume-schedules"; readonly name: string | null }
  /** The issue that says which are paused; null: it is closed. */
  | { readonly type: "schedule-notice-shown"; readonly issue: number | null };

/** Null: nothing of them has changed. */
export function schedulesAfter(state: RepositoryState, command: ScheduleCommand, now: number): Scheduled | null {
  switch (command.type) {
    case "schedule-run-told":
      return runTold(state, command.run, now);
    case "schedule-looked-at":
      return lookedAt(state, command.run, command.due_at, now);
    case "resume-schedules":
      return resumed(state, command.name, now);
    case "schedule-notice-shown":
      return { state: { ...state, schedule_notice: command.issue }, effects: [] };
    default:
      return command satisfies never;
  }
}

/** When the next schedule begins; null: none. */
export function nextScheduleAt({ schedules }: Pick<RepositoryState, "schedules">): number | null {
  let first: number | null = null;
  for (const { next } of schedules)
    if (next !== null && (first === null || next.starts_at < first)) first = next.starts_at;
  return first;
}
