/** Performs what schedules ask of the engine, and says what becomes of their jobs. */
import type { Schedule } from "../contracts/automation.ts";
import { asJobId, isFinal, type Job } from "../domain/job/job.ts";
import { placeOf } from "../domain/job/line.ts";
import { outcomeOf } from "../domain/job/outcome.ts";
import type { RefusalCode } from "../domain/job/refusal.ts";
import type { RepositoryCommand } from "../domain/repository/command.ts";
import type { ScheduleEffect } from "../domain/repository/effect.ts";
import { repositoryEvent } from "../domain/repository/publish.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import { entryOf, type RunNews, scheduleOf } from "../domain/repository/schedules.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { RepositoryAttempt } from "./ports/performer.ts";
import type { createPublishing } from "./publish-events.ts";
import type { StartAutomation } from "./start-automation.ts";

export type PerformOfSchedule = (effect: ScheduleEffect, state: RepositoryState) => Promise<RepositoryAttempt>;

interface Needs {
  readonly jobs: Pick<JobStore, "load">;
  readonly start: StartAutomation;
  readonly publish: ReturnType<typeof createPublishing>["publish"];
}

const SWITCHED_OFF = "It was taken out of the files, or switched off, before it could start.";

/** There was no room for it now: nothing is wrong with the schedule. */
const NO_ROOM: ReadonlySet<RefusalCode> = new Set(["rate_limited", "over_quota", "no_room", "github_unavailable"]);

/** Open until its pull request is merged or closed, too: the next one would do the same work again. */
const isOver = (job: Job): boolean => isFinal(job.status) && placeOf(job) === null;

function runOfJob(job: Job, run: Pick<RunNews, "name" | "due_at">): RunNews {
  const came_to = isOver(job) ? outcomeOf(job) : null;
  return { ...run, job: job.id, came_to, why: came_to === "failed" ? job.failure : null };
}

/** Once for each time that it is due, however often this is tried. */
const dueEvent = (state: RepositoryState, { name, job: text = "" }: Schedule, at: number) => {
  const more = { schedule: name, due_at: new Date(at).toISOString() };
  return repositoryEvent(state, "schedule.due", { subject: name, text, more }, at);
};

const done = (run: RunNews): RepositoryAttempt => ({ ended: "done", command: { type: "schedule-run-told", run } });

export function createSchedulePerformer({ jobs, start, publish }: Needs): PerformOfSchedule {
  const begin = async (
    { name, due_at }: Extract<ScheduleEffect, { type: "start-schedule" }>,
    state: RepositoryState,
  ) => {
    const entry = entryOf(state, name);
    const run = { name, due_at, job: null } as const;
    if (entry === null || !entry.enabled) return done({ ...run, came_to: "cancelled", why: SWITCHED_OFF });
    if (entry.type === "webhook") {
      const sent = await publish(dueEvent(state, entry, due_at), state);
      return sent.ended === "later" ? sent : done({ ...run, came_to: "told", why: null });
    }
    const { job: task = "", llm_provider: provider, llm_model: model } = entry;
    const made = await start({
      ...{ repository: state, origin: { kind: "schedule", name, due_at }, task, provider, model },
    });
    if (made.ok) return done(runOfJob(made.job, run));
    const { code, sentence } = made.refusal;
    return done({ ...run, came_to: NO_ROOM.has(code) ? "no_room" : "not_started", why: sentence });
  };

  const look = async (
    { name, due_at }: Extract<ScheduleEffect, { type: "look-at-schedule" }>,
    state: RepositoryState,
  ) => {
    const last = scheduleOf(state, name)?.last ?? null;
    // it is about to be started: that outcome comes by itself
    const known = {
      name,
      due_at: last?.due_at ?? due_at,
      job: last?.job ?? null,
      came_to: last?.came_to ?? null,
      why: null,
    };
    const id = asJobId(last?.job ?? "");
    const stored = id === null ? null : await jobs.load(id);
    const isGone = id !== null && stored === null;
    const run =
      stored === null ? { ...known, ...(isGone ? { came_to: "done" as const } : {}) } : runOfJob(stored.job, known);
    return { ended: "done", command: { type: "schedule-looked-at", run, due_at } } as const;
  };

  return async (effect, state) => {
    switch (effect.type) {
      case "start-schedule":
        return begin(effect, state);
      case "look-at-schedule":
        return look(effect, state);
      default:
        return effect satisfies never;
    }
  };
}

/** What a commit of a job says of the run that its schedule knows; null: nothing new. */
export function scheduleNews(before: Job | null, job: Job): RepositoryCommand | null {
  const { origin } = job;
  if (origin.kind !== "schedule" || before === null) return null;
  const run = runOfJob(job, origin);
  return runOfJob(before, origin).came_to === run.came_to ? null : { type: "schedule-run-told", run };
}
