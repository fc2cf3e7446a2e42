/** Rules for a job whose agent asks something: it waits for a person, whose answer opens the next round. */
import { change, type Decided, showNow } from "../decision.ts";
import { isOnActions, type Job } from "../job.ts";
import { conclude, endUnpaid } from "./end-attempt.ts";

/** The market has words of its own for work that needs its sender. */
export const asksUser = (job: Job): boolean => isOnActions(job) && job.result?.outcome === "question";

/** The attempt is over and the job is not: a person answers, cancels it, or merges or closes its pull request. */
export function waitForUser(job: Job, now: number, set: Partial<Job> = {}): Decided {
  const asked: Job = { ...job, ...set };
  if (asked.cancellation_requested)
    return endUnpaid(job, now, "cancelled", { set, note: "Cancelled while the agent worked." });
  const rounds = conclude(asked, asked.result?.body || asked.result?.title || "");
  return change(job, now, {
    set: {
      ...set,
      status: "waiting_for_user",
      question_asked_at: now,
      deadline_at: null,
      failure: null,
      rounds: rounds.map((round, at) => (at === rounds.length - 1 ? { ...round, is_question: true } : round)),
    },
    event: "waiting_for_user",
    effects: showNow(asked, now),
  });
}
