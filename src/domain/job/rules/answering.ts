/** Rules for a job whose agent asks something: it waits for a person, whose answer opens the next round. */
import { change, type Decided, showNow } from "../decision.ts";
import { isOnActions, type Job } from "../job.ts";
import { conclude } from "./end-attempt.ts";

/** The market has words of its own for work that needs its sender. */
export const asksUser = (job: Job): boolean => isOnActions(job) && job.result?.outcome === "question";

/**
 * The attempt is over and the job is not. It ends by a cancel, a merge or a close of its pull request, by a person as all
 * of these, and goes on by an answer.
 */
export function waitForUser(job: Job, now: number, set: Partial<Job> = {}): Decided {
  const asked: Job = { ...job, ...set };
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
