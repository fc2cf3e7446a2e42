/**
 * Performs the effects of commits: one effect per job or repository at a time, many of them concurrently. Each runner has
 * effects of its own, so that outgoing events do not wait for calls to GitHub.
 *
 * Effects are performed at least once. An outcome is committed together with the effect's removal: after a crash before
 * that commit, the effect is performed again (`again` tells the performer to look first). A failed attempt is retried
 * with back-off and jitter, or after the time that GitHub asked for; after a limited number of attempts the core is
 * told.
 */
import type { Pending } from "../domain/pending-effect.ts";
import { yieldToEventLoop } from "./event-loop.ts";
import { createFairQueue } from "./fair-queue.ts";
import type { EffectStore } from "./ports/aggregate.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Later } from "./ports/performer.ts";

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
 * How a runner works on one kind of record: `S` is the stored record, `All` its effects, `E` those of this runner and `D`
 * what an effect that is done has to report.
 */
export interface EffectOwner<Id, All, E extends All, S extends { readonly effects: readonly Pending<All>[] }, D> {
  readonly store: Pick<EffectStore<Id, S>, "load" | "reschedule" | "acknowledge">;
  readonly idOf: (stored: S) => Id;
  readonly installationOf: (stored: S) => number;
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
> {
  readonly #owner: EffectOwner<Id, All, E, S, D>;
  readonly #needs: Needs;
  readonly #turns = createFairQueue(SLOTS);
  readonly #working = new Map<Id, Promise<void>>();
  readonly #queued = new Set<Id>();
  readonly #timers = new Map<Id, () => void>();
  readonly #recovered = new Map<Id, number>();
  /** Effects by record and key that an earlier attempt may have applied, even if a later commit has replaced them. */
  readonly #maybeApplied = new Set<string>();
  #stopping = false;

  constructor(owner: EffectOwner<Id, All, E, S, D>, needs: Needs) {
    this.#owner = owner;
    this.#needs = needs;
  }

  /** Checks the record for due effects. */
  enqueue(stored: S): void {
    if (this.#stopping) return;
    const id = this.#owner.idOf(stored);
    this.#queued.add(id);
    if (!this.#working.has(id)) this.#working.set(id, this.#run(stored));
  }

  /** Resumes effects found at the start, which an earlier process may have performed. */
  resume(stored: S): void {
    this.#recovered.set(this.#owner.idOf(stored), Math.max(0, ...stored.effects.map((effect) => effect.serial)));
    this.enqueue(stored);
  }

  /** Starts nothing more; resolves when effects in progress have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await Promise.allSettled(this.#working.values());
  }

  /** One turn per effect, so that a record with many effects does not hold a slot. */
  async #run(stored: S): Promise<void> {
    const { log, clock } = this.#needs;
    const { idOf, installationOf, fields } = this.#owner;
    const id = idOf(stored);
    try {
      while (this.#queued.delete(id)) {
        while (await this.#turns.take(installationOf(stored), () => this.#step(id)));
      }
    } catch (error) {
      log.error({ ...fields(stored), error }, "the store failed under the effects runner");
      this.#sleepUntil(stored, clock.now() + FIRST_DELAY_MS);
    } finally {
      this.#working.delete(id);
      if (this.#queued.has(id)) this.enqueue(stored);
    }
  }

  /** Performs the first due effect in order; false when none is due. */
  async #step(id: Id): Promise<boolean> {
    const { store, waitsFor } = this.#owner;
    const { clock } = this.#needs;
    const stored = this.#stopping ? null : await store.load(id);
    const mine = stored?.effects.filter((pending) => this.#isMine(pending)) ?? [];
    if (stored === null || mine.length === 0) {
      this.#recovered.delete(id);
      return false;
    }
    const pending = mine.map(({ effect }) => effect);
    const free = mine.filter(({ effect }) => !waitsFor(effect, pending));
    const due = free.find((effect) => this.#dueAt(effect, stored) <= clock.now());
    if (due === undefined) this.#sleepUntil(stored, Math.min(...free.map((effect) => this.#dueAt(effect, stored))));
    else await this.#perform(due, stored);
    return due !== undefined;
  }

  #isMine(pending: Pending<All>): pending is Pending<E> {
    return this.#owner.takes(pending.effect);
  }

  /** Caps the wait: a longer one was written by a clock that was ahead. */
  #dueAt(pending: Pending<E>, stored: S): number {
    const now = this.#needs.clock.now();
    const at = this.#owner.dueAt?.(pending, stored) ?? pending.not_before;
    return at > now + MAX_REQUESTED_WAIT_MS ? now : at;
  }

  #sleepUntil(stored: S, at: number): void {
    const id = this.#owner.idOf(stored);
    this.#timers.get(id)?.();
    this.#timers.set(
      id,
      this.#needs.clock.at(at, () => {
        this.#timers.delete(id);
        this.enqueue(stored);
      }),
    );
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
    const { idOf, fields, perform } = this.#owner;
    const id = idOf(stored);
    const name = `${id} ${pending.key}`;
    const again =
      pending.attempts > 0 || this.#maybeApplied.has(name) || pending.serial <= (this.#recovered.get(id) ?? 0);
    // A large commit is enough for one turn of the event loop.
    await yieldToEventLoop();
    const outcome = await perform(pending.effect, stored, again).catch((error: unknown): Later => {
      this.#needs.log.error({ ...fields(stored), effect: pending.key, error }, "an effect threw");
      return { ended: "later", reason: "an internal error occurred" };
    });
    if (outcome.ended === "later") this.#maybeApplied.add(name);
    else this.#maybeApplied.delete(name);
    return outcome;
  }
}
