/** All events that webhooks send: those of jobs, and those of repositories. */
import { EVENT_SENTENCES } from "./job/event-sentences.ts";
import { EVENT_NAMES, type EventName, type JobEvent } from "./job/job-events.ts";
import {
  REPOSITORY_EVENT_NAMES,
  REPOSITORY_EVENTS,
  type RepositoryEvent,
  type RepositoryEventName,
} from "./repository/events.ts";

export type PublishedEventName = EventName | RepositoryEventName;
export type PublishedEvent = JobEvent | RepositoryEvent;

export const PUBLISHED_EVENT_NAMES: readonly PublishedEventName[] = [...EVENT_NAMES, ...REPOSITORY_EVENT_NAMES];

/** What a person waits for, or has to act on. */
export const CHAT_EVENTS: readonly PublishedEventName[] = [
  ...EVENT_NAMES.filter((event) => EVENT_SENTENCES[event].by_default),
  ...REPOSITORY_EVENT_NAMES.filter((event) => REPOSITORY_EVENTS[event].by_default),
];
