/**
 * Performs the effects of commits: one effect per job or repository at a time, many of them concurrently. Each kind of
 * task has effects of its own, so that outgoing events do not wait for calls to GitHub.
 *
 * Effects are performed at least once. An outcome is committed together with the effect's removal: after a crash before
 * that commit, the effect is performed again (`again` tells the performer to look first). A failed attempt is retried
 * with back-off and jitter, or after the time that GitHub asked for; after a limited number of attempts the core is
 * told.
 */
import type { EffectRef, Pending } from "../domain/pending-effect.ts";
import type { EffectStore } from "./ports/aggregate.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Later } from "./ports/performer.ts";
import type { TaskAnswer, TaskHandler, TaskRun } from "./ports/work-queue.ts";

/** Concurrent effects; GitHub allows 100 requests at once. */
const SLOTS = 40;
/** With the back-off below: about three quarters of an hour. */
export const MAX_ATTEMPTS = 14;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 300_000;
/** The longest wait accepted from GitHub. */
const MAX_REQUESTED_WAIT_MS = 3_600_000;

interface Done {
  readonly ended: "done";
}

/**
 * How the effects of one kind of record are performed: `S` is the stored record, `All` its effects, `E` those of this kind
 * of task and `D` what an effect that is done has to report.
 */
export interface EffectOwner<Id, All, E extends All, S extends { readonly effects: readonly Pending<All>[] }, D> {
  readonly store: Pick<EffectStore<Id, S>, "reschedule" | "acknowledge">;
  /** By the key of a task. */
  readonly load: (key: string) => Promise<S | null>;
  readonly idOf: (stored: S) => Id;
  /** Names the record in log lines. */
  readonly fields: (stored: S) => object;
  readonly takes: (effect: All) => effect is E;
  /** False: the record has moved on, and the effect is dropped. */
  readonly isWanted: (effect: E, stored: S) => boolean;
  /** Whether it must be performed after one of the others. */
  readonly waitsFor: (effect: E, others: readonly E[]) => boolean;
  /** When it may be performed; missing: at its `not_before`. */
  readonly dueAt?: (pending: Pending<E>, stored: S) => number;
  readonly perform: (effect: E, stored: S, again: boolean) => Promise<D | Later>;
  /** Commits the outcome together with the effect's removal. */
  readonly report: (pending: Pending<E>, stored: S, outcome: D) => Promise<void>;
  /** Commits that the effect was given up, together with its removal. `reason`: the last attempt's. */
  readonly abandon: (pending: Pending<E>, stored: S, reason: string) => Promise<void>;
}

interface Needs {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Pick<Meter, "effect">;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
}

/** Back-off with jitter, or the requested wait. */
function delay(attempts: number, asked: number | undefined, random: number): number {
  const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts);
  // Short requested waits must not use up the attempts within seconds.
  return Math.max(longest / 2 + (random * longest) / 2, Math.min(asked ?? 0, MAX_REQUESTED_WAIT_MS));
}

export class EffectsRunner<
  Id,
  All,
  E extends All,
  S extends { readonly effects: readonly Pending<All>[] },
  D extends Done,
> implements TaskHandler
{
  readonly slots = SLOTS;
  readonly #owner: EffectOwner<Id, All, E, S, D>;
  readonly #needs: Needs;
  /** Effects by record and key that an earlier attempt may have applied, even if a later commit has replaced them. */
  readonly #maybeApplied = new Set<string>();

  constructor(owner: EffectOwner<Id, All, E, S, D>, needs: Needs) {
    this.#owner = owner;
    this.#needs = needs;
  }

  /** The first due effect in order: one a turn, so that a record with many does not hold a slot. */
  async perform(record: string, { again }: Pick<TaskRun, "again">): Promise<TaskAnswer> {
    const { load, waitsFor } = this.#owner;
    const { clock } = this.#needs;
    const stored = await load(record);
    const mine = stored?.effects.filter((pending) => this.#isMine(pending)) ?? [];
    if (stored === null || mine.length === 0) return null;
    if (again) for (const pending of mine) this.#maybeApplied.add(this.#nameOf(pending, stored));
    const pending = mine.map(({ effect }) => effect);
    const free = mine.filter(({ effect }) => !waitsFor(effect, pending));
    const due = free.find((effect) => this.#dueAt(effect, stored) <= clock.now());
    if (due === undefined) return { again_at: Math.min(...free.map((effect) => this.#dueAt(effect, stored))) };
    await this.#perform(due, stored);
    return { again_at: clock.now() };
  }

  #isMine(pending: Pending<All>): pending is Pending<E> {
    return this.#owner.takes(pending.effect);
  }

  #nameOf({ key }: EffectRef, stored: S): string {
    return `${this.#owner.idOf(stored)} ${key}`;
  }

  /** Caps the wait: a longer one was written by a clock that was ahead. */
  #dueAt(pending: Pending<E>, stored: S): number {
    const now = this.#needs.clock.now();
    const at = this.#owner.dueAt?.(pending, stored) ?? pending.not_before;
    return at > now + MAX_REQUESTED_WAIT_MS ? now : at;
  }

  async #perform(pending: Pending<E>, stored: S): Promise<void> {
    const { store, idOf, fields, isWanted, report } = this.#owner;
    const { clock, log, meter, random } = this.#needs;
    const id = idOf(stored);
    if (!isWanted(pending.effect, stored)) {
      await store.acknowledge(id, pending);
      return;
    }
    const outcome = await this.#tryOnce(pending, stored);
    const named = { ...fields(stored), effect: pending.key };
    if (outcome.ended === "done") {
      meter.effect("done");
      log.debug(named, "effect performed");
      await report(pending, stored, outcome);
    } else if (pending.attempts + 1 >= MAX_ATTEMPTS) {
      log.error({ ...named, reason: outcome.reason }, "an effect is given up");
      meter.effect("abandoned");
      await this.#owner.abandon(pending, stored, outcome.reason);
    } else {
      meter.effect("later");
      log.warn({ ...named, attempt: pending.attempts + 1, reason: outcome.reason }, "effect put off");
      await store.reschedule(id, pending, clock.now() + delay(pending.attempts, outcome.after_ms, random()));
    }
  }

  async #tryOnce(pending: Pending<E>, stored: S): Promise<D | Later> {
    const { fields, perform } = this.#owner;
    const name = this.#nameOf(pending, stored);
    const again = pending.attempts > 0 || this.#maybeApplied.has(name);
    const outcome = await perform(pending.effect, stored, again).catch((error: unknown): Later => {
      this.#needs.log.error({ ...fields(stored), effect: pending.key, error }, "an effect threw");
      return { ended: "later", reason: "an internal error occurred" };
    });
    if (outcome.ended === "later") this.#maybeApplied.add(name);
    else this.#maybeApplied.delete(name);
    return outcome;
  }
}
