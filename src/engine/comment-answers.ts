/** The answers to commands that ask something of the repository and of no job. */
import type { EventRepository, SlashCommand } from "../domain/job/github-event.ts";
import { doctorReply, HELP } from "./comment-replies.ts";
import type { Examine } from "./doctor.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { Clock } from "./ports/clock.ts";
import type { Store } from "./ports/store.ts";
import { schedulesReply } from "./schedule-replies.ts";
import { usageOfMonths } from "./usage-reply.ts";

export type Question = Extract<
  SlashCommand,
  { verb: "help" | "doctor" | "usage" } | { verb: "schedules" } | { verb: "resume" }
>;
export type AnswerQuestion = (repository: EventRepository, question: Question) => Promise<string>;

interface Needs {
  readonly examine: Examine;
  readonly store: Pick<Store, "spending" | "repositories">;
  readonly handleRepository: HandleRepository;
  readonly clock: Pick<Clock, "now">;
  /** False: what jobs have cost is not all known here. */
  readonly knows_all_jobs: boolean;
}

const NO_FIGURES =
  "This repository runs Journeyman without a server, which keeps no figures of all jobs. What a job has cost is in its comment.";

const NO_SCHEDULES =
  "This repository runs Journeyman without a server, so nothing starts by itself here. A workflow of your own with `on: schedule` does.";

export function createAnswers(needs: Needs): AnswerQuestion {
  const { examine, store, clock, knows_all_jobs } = needs;
  return async (repository, question) => {
    switch (question.verb) {
      case "help":
        return HELP;
      case "doctor":
        return doctorReply(await examine(repository));
      case "usage":
        return knows_all_jobs
          ? (await usageOfMonths(store.spending, repository, clock.now(), [0, 1])).text
          : NO_FIGURES;
      case "schedules":
      case "resume":
        return knows_all_jobs ? schedulesReply(needs, repository, question) : NO_SCHEDULES;
      default:
        return question satisfies never;
    }
  };
}
