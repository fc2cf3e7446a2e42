/** How the effects of repositories are performed and what becomes of their outcomes. */

import { fullName } from "../domain/job/job.ts";
import {
  isEffectWanted,
  isOfSchedule,
  type RepositoryEffect,
  type ScheduleEffect,
} from "../domain/repository/effect.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { RepositoryAttempt } from "./ports/performer.ts";
import type { RepositoryStore, StoredRepository } from "./ports/repositories.ts";
import type { EffectOwner } from "./run-effects.ts";
import type { PerformOfSchedule } from "./schedules.ts";

interface Needs {
  readonly repositories: RepositoryStore;
  readonly performer: {
    perform(
      effect: Exclude<RepositoryEffect, ScheduleEffect>,
      repository: RepositoryState,
      again: boolean,
    ): Promise<RepositoryAttempt>;
  };
  readonly performOfSchedule: PerformOfSchedule;
  readonly handle: HandleRepository;
}

type Done = Extract<RepositoryAttempt, { ended: "done" }>;
export type RepositoryEffects = EffectOwner<number, RepositoryEffect, RepositoryEffect, StoredRepository, Done>;

const isAny = (effect: RepositoryEffect): effect is RepositoryEffect => effect !== null;

export function repositoryEffects({ repositories, performer, performOfSchedule, handle }: Needs): RepositoryEffects {
  return {
    store: repositories,
    load: (key) => repositories.load(Number(key)),
    idOf: ({ state }) => state.id,
    fields: ({ state }) => ({ repository: fullName(state) }),
    takes: isAny,
    isWanted: (effect, { state }) => isEffectWanted(effect, state),
    waitsFor: () => false,
    perform: (effect, { state }, again) =>
      isOfSchedule(effect) ? performOfSchedule(effect, state) : performer.perform(effect, state, again),
    async report(pending, { state }, { command }) {
      if (command === undefined) await repositories.acknowledge(state.id, pending);
      else await handle(state.id, command, pending);
    },
    async abandon(pending, { state }) {
      await handle(state.id, { type: "effect-abandoned", effect: pending.effect }, pending);
    },
  };
}
