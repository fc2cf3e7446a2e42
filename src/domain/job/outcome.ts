/** The outcome of a job in one word, the same for every dialect, event and list. */
import * as z from "zod";
import { isApart, isFinal, isOnMarket, type Job } from "./job.ts";

/** What each means; the API's description says it in these words. */
export const JOB_OUTCOMES = {
  merged: "its pull request is merged",
  done: "the work is good, and is not merged, or not yet",
  nothing_to_do: "nothing had to be changed",
  question: "the agent needs an answer first",
  declined: "the agent would not do it",
  failed: "no attempt succeeded",
  cancelled: "it was cancelled",
} as const;

export type JobOutcome = keyof typeof JOB_OUTCOMES;

export const OUTCOME_WORDS = Object.keys(JOB_OUTCOMES) as readonly JobOutcome[];

export const jobOutcomeSchema = z.enum(OUTCOME_WORDS);

const MEANINGS = OUTCOME_WORDS.map((word) => `\`${word}\`: ${JOB_OUTCOMES[word]}`).join("; ");

/** As every dialect describes it. */
export const outcomeField = jobOutcomeSchema
  .nullable()
  .meta({ description: `What came of it; null while it is under way. ${MEANINGS}.` });

/** The same for every dialect. */
export const questionField = z
  .string()
  .nullable()
  .meta({ description: "What the agent asks; null unless the job waits for the answer." });

/** Null exactly while somebody works on the job or checks it; a message or a retry makes it null again. */
export function outcomeOf(job: Job): JobOutcome | null {
  if (job.status === "waiting_for_user") return "question";
  if (!isFinal(job.status)) return null;
  if (job.merged_at !== null) return "merged";
  if (job.status === "failed" || job.status === "cancelled") return job.status;
  if (isOnMarket(job)) return "done";
  switch (job.result?.outcome) {
    case "question":
      return "question";
    case "refused":
      return "declined";
    default:
      return isApart(job) ? "nothing_to_do" : "done";
  }
}
