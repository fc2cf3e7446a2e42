/**
 * Performs the effects of commits: one effect per job at a time, many jobs concurrently. Two runners share the store,
 * each with its own effects, so that outgoing events do not wait for calls to GitHub.
 *
 * Effects are performed at least once. An outcome is committed together with the effect's removal: after a crash before
 * that commit, the effect is performed again (`again` tells the performer to look first). A failed attempt is retried
 * with back-off and jitter, or after the time that GitHub asked for; after a limited number of attempts the core is
 * told.
 */
import type { Effect, PendingEffect } from "../domain/job/effect.ts";
import { fullName, type Job, type JobId } from "../domain/job/job.ts";
import { isWanted, waitsFor } from "../domain/job/wanted-effects.ts";
import type { ShowPacing } from "./comment-pacing.ts";
import { yieldToEventLoop } from "./event-loop.ts";
import { createFairQueue } from "./fair-queue.ts";
import type { Handle } from "./handle-command.ts";
import type { Clock } from "./ports/clock.ts";
import type { StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Attempt } from "./ports/performer.ts";
import type { Store } from "./ports/store.ts";

/** Concurrent effects; GitHub allows 100 requests at once. */
const SLOTS = 40;
/** With the back-off below: about three quarters of an hour. */
export const MAX_ATTEMPTS = 14;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 300_000;
/** The longest wait accepted from GitHub. */
const MAX_REQUESTED_WAIT_MS = 3_600_000;

interface Needs<E extends Effect> {
  readonly store: Store;
  readonly clock: Clock;
  /** Whether an effect belongs to this runner. */
  readonly takes: (effect: Effect) => effect is E;
  readonly performer: { perform(effect: E, job: Job, again: boolean): Promise<Attempt> };
  readonly handle: Handle;
  readonly log: Log;
  readonly meter: Pick<Meter, "effect">;
  /** Told after an effect of this job was put off. */
  readonly putOff?: (id: JobId) => Promise<void>;
  /** Holds back what people are shown; missing: this runner shows nothing. */
  readonly pacing?: ShowPacing;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
}

type Pending<E extends Effect> = PendingEffect & { readonly effect: E };

/** Back-off with jitter, or the requested wait. */
function delay(attempts: number, asked: number | undefined, random: number): number {
  const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts);
  // Short requested waits must not use up the attempts within seconds.
  return Math.max(longest / 2 + (random * longest) / 2, Math.min(asked ?? 0, MAX_REQUESTED_WAIT_MS));
}

export class EffectsRunner<E extends Effect> {
  readonly #needs: Needs<E>;
  readonly #fairQueue = createFairQueue(SLOTS);
  readonly #working = new Map<JobId, Promise<void>>();
  readonly #queued = new Set<JobId>();
  readonly #timers = new Map<JobId, () => void>();
  readonly #recovered = new Map<JobId, number>();
  /** Effects by job and key that an earlier attempt may have applied, even if a later commit has replaced them. */
  readonly #maybeApplied = new Set<string>();
  #stopping = false;

  constructor(needs: Needs<E>) {
    this.#needs = needs;
  }

  /** Checks the job for due effects. */
  enqueue(job: Job): void {
    if (this.#stopping) return;
    this.#queued.add(job.id);
    if (!this.#working.has(job.id)) this.#working.set(job.id, this.#run(job));
  }

  /** Resumes effects found at the start, which an earlier process may have performed. */
  resume(stored: StoredJob): void {
    this.#recovered.set(stored.job.id, Math.max(0, ...stored.effects.map((effect) => effect.serial)));
    this.enqueue(stored.job);
  }

  /** Starts nothing more; resolves when effects in progress have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await Promise.allSettled(this.#working.values());
  }

  /** One turn per effect, so that a job with many effects does not hold a slot. */
  async #run(job: Job): Promise<void> {
    const { log, clock } = this.#needs;
    try {
      while (this.#queued.delete(job.id)) {
        while (await this.#fairQueue.take(job.repository.installation_id, () => this.#step(job)));
      }
    } catch (error) {
      log.error({ job: job.id, error }, "the store failed under the effects runner");
      this.#sleepUntil(job, clock.now() + FIRST_DELAY_MS);
    } finally {
      this.#working.delete(job.id);
      if (this.#queued.has(job.id)) this.enqueue(job);
    }
  }

  /** Performs the first due effect in order; false when none is due. */
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
    const due = free.find((effect) => this.#dueAt(effect, stored.job) <= clock.now());
    if (due === undefined)
      this.#sleepUntil(stored.job, Math.min(...free.map((effect) => this.#dueAt(effect, stored.job))));
    else await this.#perform(id, due, stored);
    return due !== undefined;
  }

  #isMine(pending: PendingEffect): pending is Pending<E> {
    return this.#needs.takes(pending.effect);
  }

  /** Caps the wait: a longer one was written by a clock that was ahead. */
  #dueAt(pending: PendingEffect, job: Job): number {
    const { clock, pacing } = this.#needs;
    const now = clock.now();
    const at = pacing?.dueAt(pending, job) ?? pending.not_before;
    return at > now + MAX_REQUESTED_WAIT_MS ? now : at;
  }

  #sleepUntil(job: Job, at: number): void {
    this.#timers.get(job.id)?.();
    this.#timers.set(
      job.id,
      this.#needs.clock.at(at, () => {
        this.#timers.delete(job.id);
        this.enqueue(job);
      }),
    );
  }

  async #perform(id: JobId, effect: Pending<E>, stored: StoredJob): Promise<void> {
    const { store, clock, log, meter, pacing, random } = this.#needs;
    if (!isWanted(effect.effect, stored.job)) {
      await store.jobs.acknowledge(id, effect);
      return;
    }
    const outcome = await this.#tryOnce(effect, stored);
    if (outcome.ended === "done") {
      meter.effect("done");
      pacing?.written(effect.effect, stored.job);
      log.debug({ job: id, effect: effect.key, repository: fullName(stored.job.repository) }, "effect performed");
      await this.#report(id, effect, outcome);
    } else if (effect.attempts + 1 >= MAX_ATTEMPTS) {
      await this.#abandon(id, effect, outcome.reason);
    } else {
      meter.effect("later");
      log.warn({ job: id, effect: effect.key, attempt: effect.attempts + 1, reason: outcome.reason }, "effect put off");
      await store.jobs.reschedule(id, effect, clock.now() + delay(effect.attempts, outcome.after_ms, random()));
      await this.#needs.putOff?.(id);
    }
  }

  async #tryOnce(effect: Pending<E>, stored: StoredJob): Promise<Attempt> {
    const { performer, log } = this.#needs;
    const { id } = stored.job;
    const name = `${id} ${effect.key}`;
    const again =
      effect.attempts > 0 || this.#maybeApplied.has(name) || effect.serial <= (this.#recovered.get(id) ?? 0);
    // A large commit is enough for one turn of the event loop.
    await yieldToEventLoop();
    const outcome = await performer.perform(effect.effect, stored.job, again).catch((error: unknown): Attempt => {
      log.error({ job: id, effect: effect.key, error }, "an effect threw");
      return { ended: "later", reason: "an internal error occurred" };
    });
    if (outcome.ended === "later") this.#maybeApplied.add(name);
    else this.#maybeApplied.delete(name);
    return outcome;
  }

  async #report(id: JobId, effect: PendingEffect, outcome: Extract<Attempt, { ended: "done" }>): Promise<void> {
    const { store, handle } = this.#needs;
    const { command, log, repository } = outcome;
    if (repository) await store.repositories.put(repository);
    if (command === undefined) await store.jobs.acknowledge(id, effect);
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
