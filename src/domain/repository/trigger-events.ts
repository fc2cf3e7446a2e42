/** The events that a trigger sends: those of one piece of news are asked for in one commit, which remembers it. */

import { published, type Told } from "./publish.ts";
import type { RepositoryState } from "./repository.ts";
import type { Scheduled } from "./schedules.ts";
import { triggerKey, triggerState, withTrigger } from "./triggers.ts";

/** So many pieces of news are remembered of a trigger: a repetition of an older one is taken for another. */
export const MOST_TOLD = 1_000;

/** Its actions have events to send for this piece of news. */
export interface TriggerFired {
  readonly type: "trigger-fired";
  readonly name: string;
  readonly news: string;
  readonly events: readonly Told[];
}

export const wasTold = (state: Pick<RepositoryState, "triggers">, name: string, news: string): boolean =>
  triggerState(state, name).told.includes(news);

/** Null: they were sent before. */
export function triggerFired(state: RepositoryState, fired: TriggerFired, now: number): Scheduled | null {
  const { name, news, events } = fired;
  if (wasTold(state, name, news)) return null;
  const before = triggerState(state, name);
  const there = new Set(state.automation.triggers.map((one) => triggerKey(one.name)));
  // of a trigger that is gone its secret stays, since a reverted commit brings it back
  const others = state.triggers.flatMap((one) => {
    if (there.has(one.name)) return [one];
    return one.secret === null ? [] : [{ ...one, told: [] }];
  });
  const told = [...before.told, news].slice(-MOST_TOLD);
  return {
    state: { ...state, triggers: withTrigger({ ...state, triggers: others }, { ...before, told }) },
    effects: events.map((event) => published(state, "trigger.fired", event, now)),
  };
}
