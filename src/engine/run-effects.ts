/**
 * The effects runner: performs what commits have asked for, one effect of a job at a time, many jobs side by side. Two
 * run over the same store, each with effects of its own: what is announced must not wait behind a call to GitHub.
 *
 * An effect is performed at least once. Its outcome is committed together with its removal, so a crash before that
 * performs it again (`again` tells the performer to look first), and a crash after it does not. A failed try backs
 * off, with jitter or as long as GitHub asked for, and after a bounded number of tries the core is told.
 */
import type { Effect, PendingEffect } from "../domain/job/effect.ts";
import { fullName, type Job, type JobId } from "../domain/job/job.ts";
import { isWanted, waitsFor } from "../domain/job/wanted-effects.ts";
import { yieldToEventLoop } from "./event-loop.ts";
import { createFairQueue } from "./fair-queue.ts";
import type { Handle } from "./handle-command.ts";
import type { Clock } from "./ports/clock.ts";
import type { StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Attempt } from "./ports/performer.ts";
import type { Store } from "./ports/store.ts";

/** Effects that are performed side by side; GitHub allows 100 requests at once. */
const PLACES = 40;
/** With the back-off below: about three quarters of an hour. */
export const MOST_TRIES = 14;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 300_000;
/** GitHub's own word on how long to wait is believed up to this. */
const LONGEST_ASKED_MS = 3_600_000;

interface Needs<E extends Effect> {
  readonly store: Store;
  readonly clock: Clock;
  /** Which effects are this runner's; it leaves the others alone. */
  readonly takes: (effect: Effect) => effect is E;
  readonly performer: { perform(effect: E, job: Job, again: boolean): Promise<Attempt> };
  readonly handle: Handle;
  readonly log: Log;
  readonly meter: Pick<Meter, "effect">;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
}

type Pending<E extends Effect> = PendingEffect & { readonly effect: E };

/** With jitter, or as long as was asked for. */
function delay(attempts: number, asked: number | undefined, random: number): number {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts);
  // a short wait that is asked for again and again must not use up the tries within seconds
  return Math.max(longest / 2 + (random * longest) / 2, Math.min(asked ?? 0, LONGEST_ASKED_MS));
}

export class EffectsRunner<E extends Effect> {
  readonly #needs: Needs<E>;
  readonly #turns = createFairQueue(PLACES);
  readonly #working = new Map<JobId, Promise<void>>();
  readonly #kicked = new Set<JobId>();
  readonly #timers = new Map<JobId, () => void>();
  readonly #recovered = new Map<JobId, number>();
  /** Effects by job and key that an earlier try may have done, also where a later commit has replaced them since. */
  readonly #doubtful = new Set<string>();
  #stopping = false;

  constructor(needs: Needs<E>) {
    this.#needs = needs;
  }

  /** Something may be due for this job. */
  kick(job: Job): void {
    if (this.#stopping) return;
    this.#kicked.add(job.id);
    if (!this.#working.has(job.id)) this.#working.set(job.id, this.#run(job));
  }

  /** Effects found at the start: an earlier process may have performed them. */
  recover(stored: StoredJob): void {
    this.#recovered.set(stored.job.id, Math.max(0, ...stored.effects.map((effect) => effect.serial)));
    this.kick(stored.job);
  }

  /** Starts nothing more and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await Promise.allSettled(this.#working.values());
  }

  /** A turn for each effect: a job with many must not keep a place from others. */
  async #run(job: Job): Promise<void> {
    const { log, clock } = this.#needs;
    try {
      while (this.#kicked.delete(job.id)) {
        while (await this.#turns.take(job.repository.installation_id, () => this.#step(job)));
      }
    } catch (error) {
      log.error({ job: job.id, error }, "the store failed under the effects runner");
      this.#sleepUntil(job, clock.now() + FIRST_DELAY_MS);
    } finally {
      this.#working.delete(job.id);
      if (this.#kicked.has(job.id)) this.kick(job);
    }
  }

  /** Performs the first effect that is due, in the order in which they were asked for; false: none is. */
  async #step({ id }: Job): Promise<boolean> {
    const { store, clock } = this.#needs;
    const stored = this.#stopping ? null : await store.jobs.load(id);
    const mine = stored?.effects.filter((pending) => this.#isMine(pending)) ?? [];
    if (stored === null || mine.length === 0) {
      this.#recovered.delete(id);
      return false;
    }
    const pending = mine.map(({ effect }) => effect);
    const free = mine.filter(({ effect }) => !waitsFor(effect, pending));
    const due = free.find((effect) => this.#dueAt(effect) <= clock.now());
    if (due === undefined) this.#sleepUntil(stored.job, Math.min(...free.map((effect) => this.#dueAt(effect))));
    else await this.#perform(id, due, stored);
    return due !== undefined;
  }

  #isMine(pending: PendingEffect): pending is Pending<E> {
    return this.#needs.takes(pending.effect);
  }

  /** Nothing is put off for longer than that; what says so was written by a clock that was ahead. */
  #dueAt({ not_before }: PendingEffect): number {
    const now = this.#needs.clock.now();
    return not_before > now + LONGEST_ASKED_MS ? now : not_before;
  }

  #sleepUntil(job: Job, at: number): void {
    this.#timers.get(job.id)?.();
    this.#timers.set(
      job.id,
      this.#needs.clock.at(at, () => {
        this.#timers.delete(job.id);
        this.kick(job);
      }),
    );
  }

  async #perform(id: JobId, effect: Pending<E>, stored: StoredJob): Promise<void> {
    const { store, clock, log, meter, random } = this.#needs;
    if (!isWanted(effect.effect, stored.job)) {
      await store.jobs.settle(id, effect);
      return;
    }
    const outcome = await this.#tryOnce(effect, stored);
    if (outcome.ended === "done") {
      meter.effect("done");
      log.debug({ job: id, effect: effect.key, repository: fullName(stored.job.repository) }, "effect performed");
      await this.#report(id, effect, outcome);
    } else if (effect.attempts + 1 >= MOST_TRIES) {
      await this.#abandon(id, effect, outcome.reason);
    } else {
      meter.effect("later");
      log.warn({ job: id, effect: effect.key, attempt: effect.attempts + 1, reason: outcome.reason }, "effect put off");
      await store.jobs.postpone(id, effect, clock.now() + delay(effect.attempts, outcome.after_ms, random()));
    }
  }

  async #tryOnce(effect: Pending<E>, stored: StoredJob): Promise<Attempt> {
    const { performer, log } = this.#needs;
    const { id } = stored.job;
    const name = `${id} ${effect.key}`;
    const again = effect.attempts > 0 || this.#doubtful.has(name) || effect.serial <= (this.#recovered.get(id) ?? 0);
    // a commit and what follows from it are much for one turn where a body was large
    await yieldToEventLoop();
    const outcome = await performer.perform(effect.effect, stored.job, again).catch((error: unknown): Attempt => {
      log.error({ job: id, effect: effect.key, error }, "an effect threw");
      return { ended: "later", reason: "an internal error occurred" };
    });
    if (outcome.ended === "later") this.#doubtful.add(name);
    else this.#doubtful.delete(name);
    return outcome;
  }

  async #report(id: JobId, effect: PendingEffect, outcome: Extract<Attempt, { ended: "done" }>): Promise<void> {
    const { store, handle } = this.#needs;
    const { command, log, repository } = outcome;
    if (repository) await store.repositories.put(repository);
    if (command === undefined) await store.jobs.settle(id, effect);
    else await handle(id, command, { done: effect, ...(log ? { log } : {}) });
  }

  async #abandon(id: JobId, effect: PendingEffect, reason: string): Promise<void> {
    const { log, meter, handle } = this.#needs;
    log.error({ job: id, effect: effect.key, reason }, "an effect is given up");
    meter.effect("abandoned");
    const sentence = `GitHub could not be reached or refused (${reason}). Try again with \`/job retry\`.`;
    await handle(id, { type: "effect-abandoned", effect: effect.effect, sentence }, { done: effect });
  }
}
