/**
 * What people are told of each event, where a webhook leads to a chat: a sentence of ours, and which words of the job
 * stand below it. An event without a row does not compile.
 */
import type { Job } from "./job.ts";
import type { EventName } from "./job-events.ts";
import type { JobOutcome } from "./outcome.ts";
import type { JobView } from "./view.ts";

/** What a person feels about it; a chat has a colour for each. */
export type Tone = "good" | "bad" | "asks" | "plain";

export interface EventSentence {
  /** Sent to chats whose subscription names no events: what a person waits for, or has to act on. */
  readonly by_default: boolean;
  readonly tone: Tone;
  /** `where`: the repository. Holds no word of the job's, which are foreign. */
  readonly says: (where: string, data: JobView) => string;
  /** Foreign words that belong to it, of the job at that moment or as it is now; null or empty: there are none. */
  readonly detail: (data: JobView, job: Job) => string | null;
}

const NOTHING = (): null => null;

/** Work that is good waits for a person where nobody else merges it. */
function goodWork({ result }: JobView, { merge, pull_request, merged_at }: Job): string | null {
  if (merge.state !== "off" || pull_request === null || merged_at !== null) return result;
  return [`It is not merged automatically: ${merge.why}`, ...(result === null ? [] : [result])].join("\n\n");
}

const unasked = (says: EventSentence["says"]): EventSentence => ({
  by_default: false,
  tone: "plain",
  says,
  detail: NOTHING,
});
const told = (tone: Tone, says: EventSentence["says"], detail: EventSentence["detail"] = NOTHING): EventSentence => ({
  by_default: true,
  tone,
  says,
  detail,
});

/** How a job ended that counts as done. */
const DONE: { readonly [Outcome in JobOutcome]?: string } = {
  nothing_to_do: "needed no change",
  declined: "was declined by the agent",
  question: "ended with a question",
};

export const EVENT_SENTENCES: Readonly<Record<EventName, EventSentence>> = {
  "job.created": unasked((where) => `A job was asked for in ${where}.`),
  "job.queued": unasked((where) => `A job in ${where} waits for a run or a worker.`),
  "job.held": unasked((where) => `An agent of the market looks at a job in ${where}.`),
  "job.accepted": unasked((where) => `The work on a job in ${where} has begun.`),
  "job.submitted": unasked((where) => `The work of a job in ${where} is handed in.`),
  "job.waiting_for_user": told(
    "asks",
    (where) => `A job in ${where} waits for an answer. The agent asks:`,
    ({ question }) => question,
  ),
  "job.verified": told(
    "good",
    (where, { outcome }) => `A job in ${where} ${DONE[outcome ?? "done"] ?? "is done: its work is good"}.`,
    goodWork,
  ),
  "job.merged": told("good", (where) => `A job in ${where} is merged.`),
  "job.failed": told(
    "bad",
    (where) => `A job in ${where} failed.`,
    ({ failure }) => failure,
  ),
  "job.cancelled": told("plain", (where) => `A job in ${where} was cancelled.`),
  "job.archived": unasked((where) => `A job in ${where} was archived.`),
};
