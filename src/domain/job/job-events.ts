/** Derives the events that a commit publishes from its history rows, each with the job as it was at that moment. */
import type { HistoryRow } from "./history.ts";
import type { Job } from "./job.ts";
import { type JobView, jobView } from "./view.ts";

/** The events of a job, by the transition that the history names. */
const EVENTS = {
  created: "job.created",
  queued: "job.queued",
  held: "job.held",
  accepted: "job.accepted",
  submitted: "job.submitted",
  waiting_for_user: "job.waiting_for_user",
  verified: "job.verified",
  merged: "job.merged",
  failed: "job.failed",
  cancelled: "job.cancelled",
  archived: "job.archived",
} as const;

export type EventName = (typeof EVENTS)[keyof typeof EVENTS];

export const EVENT_NAMES: readonly EventName[] = Object.values(EVENTS);

const isTransition = (event: string): event is keyof typeof EVENTS => Object.hasOwn(EVENTS, event);

/** One event as it is sent: the body of a webhook. */
export interface JobEvent {
  readonly type: EventName;
  readonly timestamp: string;
  readonly data: JobView;
}

/** What one commit tells. `version`: of the job after it, so that no two are alike. */
export interface EmittedEvent {
  readonly version: number;
  readonly events: readonly JobEvent[];
}

/** The names of what these rows tell, in order. */
export const eventsOf = (rows: readonly HistoryRow[]): readonly EventName[] =>
  rows.flatMap(({ event }) => (isTransition(event) ? [EVENTS[event]] : []));

/** A commit may take several steps at once; each event shows the status and outcome that its own step led to. */
export const emittedEventOf = (job: Job, rows: readonly HistoryRow[], version: number): EmittedEvent => ({
  version,
  events: rows.flatMap(({ event, to, at, outcome = null }) => {
    if (!isTransition(event)) return [];
    const data = { ...jobView({ ...job, status: to }, at), outcome };
    return [{ type: EVENTS[event], timestamp: new Date(at).toISOString(), data }];
  }),
});
