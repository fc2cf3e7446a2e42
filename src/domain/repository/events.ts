/**
 * Events of a repository that belong to no job: what a webhook sends of them, and what people are told. A decision asks for
 * one by `published` of `publish.ts`.
 */
import * as z from "zod";
import type { Tone } from "../job/event-sentences.ts";

export interface RepositoryEventSentence {
  /** Sent to chats whose subscription names no events. */
  readonly by_default: boolean;
  readonly tone: Tone;
  /** `where`: the repository. The subject stands below it, since a repository's people choose its name. */
  readonly says: (where: string) => string;
}

/** What happens to a repository, a line each. */
export const REPOSITORY_EVENTS = {
  "schedule.due": { by_default: false, tone: "plain", says: (where) => `A schedule of ${where} has come.` },
  "schedule.paused": { by_default: true, tone: "bad", says: (where) => `A schedule of ${where} is paused.` },
  "trigger.fired": { by_default: false, tone: "plain", says: (where) => `A trigger of ${where} has fired.` },
  "budget.warning": { by_default: true, tone: "asks", says: (where) => `The budget of ${where} is nearly spent.` },
  "budget.exhausted": { by_default: true, tone: "bad", says: (where) => `The budget of ${where} is spent.` },
  "account_budget.warning": {
    by_default: true,
    tone: "asks",
    says: (where) => `An account that works in ${where} has nearly spent its budget on this server.`,
  },
  "account_budget.exhausted": {
    by_default: true,
    tone: "bad",
    says: (where) => `An account that works in ${where} has spent its budget on this server.`,
  },
} as const satisfies Readonly<Record<string, RepositoryEventSentence>>;

export type RepositoryEventName = keyof typeof REPOSITORY_EVENTS;

export const REPOSITORY_EVENT_NAMES = Object.keys(REPOSITORY_EVENTS) as readonly RepositoryEventName[];

/** Longer ones are none of ours. */
export const MAX_SUBJECT = 200;
export const MAX_TEXT = 2_000;
const more = z.string().max(MAX_TEXT);

export const repositoryEventSchema = z.object({
  type: z.enum(REPOSITORY_EVENT_NAMES),
  timestamp: z.iso.datetime(),
  data: z
    .object({
      repository: z.string(),
      /** Which schedule, which trigger, or which limit of the budget. */
      subject: z.string().max(MAX_SUBJECT),
      /** What happened, and what to do. */
      text: z.string().max(MAX_TEXT),
      /** Tells it from others of the same subject and moment. */
      id: z.string().optional(),
    })
    // what programs want to know of it besides, such as a time or a job's id
    .catchall(z.union([more, z.number(), z.null(), z.record(z.string(), z.string())])),
});

/** One event as it is sent: the body of a webhook. */
export type RepositoryEvent = z.output<typeof repositoryEventSchema>;

/** What tells an event from all others of its type. */
export const marksOf = ({ timestamp, data: { subject, id } }: RepositoryEvent): readonly string[] => [
  subject,
  timestamp,
  ...(id === undefined ? [] : [id]),
];
