/** The answers to commands that ask something of the repository and of no job. */
import type { EventRepository } from "../domain/job/github-event.ts";
import { doctorReply, HELP } from "./comment-replies.ts";
import type { Examine } from "./doctor.ts";
import type { Clock } from "./ports/clock.ts";
import type { Store } from "./ports/store.ts";
import { usageOfMonths } from "./usage-reply.ts";

export type Question = "help" | "doctor" | "usage";
export type AnswerQuestion = (repository: EventRepository, question: Question) => Promise<string>;

interface Needs {
  readonly examine: Examine;
  readonly store: Pick<Store, "spending">;
  readonly clock: Pick<Clock, "now">;
  /** False: what jobs have cost is not all known here. */
  readonly knows_all_jobs: boolean;
}

const NO_FIGURES =
  "This repository runs Journeyman without a server, which keeps no figures of all jobs. What a job has cost is in its comment.";

export function createAnswers({ examine, store, clock, knows_all_jobs }: Needs): AnswerQuestion {
  return async (repository, question) => {
    switch (question) {
      case "help":
        return HELP;
      case "doctor":
        return doctorReply(await examine(repository));
      case "usage":
        return knows_all_jobs
          ? (await usageOfMonths(store.spending, repository, clock.now(), [0, 1])).text
          : NO_FIGURES;
      default:
        return question satisfies never;
    }
  };
}
