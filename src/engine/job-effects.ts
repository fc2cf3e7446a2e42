/** How the effects of jobs are performed and what becomes of their outcomes. Two kinds of tasks share them. */
import type { Effect } from "../domain/job/effect.ts";
import { asJobId, fullName, type Job, type JobId } from "../domain/job/job.ts";
import { isWanted, waitsFor } from "../domain/job/wanted-effects.ts";
import type { ShowPacing } from "./comment-pacing.ts";
import type { Handle } from "./handle-command.ts";
import type { StoredJob } from "./ports/jobs.ts";
import type { Attempt } from "./ports/performer.ts";
import type { ObserveRepository } from "./ports/repositories.ts";
import type { Store } from "./ports/store.ts";
import type { EffectOwner } from "./run-effects.ts";

interface Needs<E extends Effect> {
  readonly store: Pick<Store, "jobs">;
  /** Whether an effect belongs to this kind of task. */
  readonly takes: (effect: Effect) => effect is E;
  readonly performer: { perform(effect: E, job: Job, again: boolean): Promise<Attempt> };
  readonly handle: Handle;
  /** Learns what effects have seen of the repository. */
  readonly observe: ObserveRepository;
  /** Holds back what people are shown; missing: nothing of it is shown. */
  readonly pacing?: ShowPacing;
}

type Done = Extract<Attempt, { ended: "done" }>;
export type JobEffects<E extends Effect> = EffectOwner<JobId, Effect, E, StoredJob, Done>;

export function jobEffects<E extends Effect>(needs: Needs<E>): JobEffects<E> {
  const { performer, handle, observe, pacing, takes } = needs;
  const { jobs } = needs.store;
  return {
    store: jobs,
    async load(key) {
      const id = asJobId(key);
      return id === null ? null : jobs.load(id);
    },
    idOf: ({ job }) => job.id,
    fields: ({ job }) => ({ job: job.id, repository: fullName(job.repository) }),
    takes,
    isWanted: (effect, { job }) => isWanted(effect, job),
    waitsFor,
    dueAt: (pending, { job }) => pacing?.dueAt(pending, job) ?? pending.not_before,
    perform: (effect, { job }, again) => performer.perform(effect, job, again),
    async report(pending, { job }, { command, log, repository }) {
      pacing?.written(pending.effect, job);
      if (repository) await observe(repository);
      if (command === undefined) await jobs.acknowledge(job.id, pending);
      else await handle(job.id, command, { done: pending, ...(log ? { log } : {}) });
    },
    async abandon(pending, { job }, reason) {
      const sentence = `GitHub could not be reached or refused (${reason}). Try again with \`/job retry\`.`;
      await handle(job.id, { type: "effect-abandoned", effect: pending.effect, sentence }, { done: pending });
    },
  };
}
