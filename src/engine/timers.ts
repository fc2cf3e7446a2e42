/** Fires the timers of jobs or repositories. Keeps a single timeout armed for the earliest due one. */
import type { TimerStore } from "./ports/aggregate.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";

/** Records per batch; the rest follows at once. */
const BATCH = 100;
const AFTER_FAILURE_MS = 5_000;

interface Needs<Id> {
  readonly store: TimerStore<Id>;
  readonly clock: Clock;
  readonly wake: (id: Id) => Promise<unknown>;
  /** What the timers belong to, for log lines. */
  readonly kind: "job" | "repository";
  readonly log: Log;
}

export interface Timers {
  /** A commit was made whose record wakes at this time; null: not at all. */
  committed(at: number | null): void;
  start(): Promise<void>;
  stop(): void;
}

export function createTimers<Id>({ store, clock, wake, kind, log }: Needs<Id>): Timers {
  let armed: { readonly at: number; readonly cancel: () => void } | null = null;
  let stopped = false;

  const arm = (at: number): void => {
    if (stopped || (armed !== null && armed.at <= at)) return;
    armed?.cancel();
    armed = { at, cancel: clock.at(at, () => void ring()) };
  };

  const ring = async (): Promise<void> => {
    armed = null;
    let failed = false;
    const complain = (facts: object) => {
      failed = true;
      log.error(facts, `waking a ${kind} failed`);
    };
    try {
      // One failure must not block the others.
      for (const id of await store.due(clock.now(), BATCH))
        await wake(id).catch((error: unknown) => complain({ [kind]: id, error }));
      const next = await store.nextWake();
      if (next !== null) arm(failed ? Math.max(next, clock.now() + AFTER_FAILURE_MS) : next);
    } catch (error) {
      complain({ error });
      arm(clock.now() + AFTER_FAILURE_MS);
    }
  };

  return {
    committed(at) {
      if (at !== null) arm(at);
    },
    start: ring,
    stop() {
      stopped = true;
      armed?.cancel();
    },
  };
}
