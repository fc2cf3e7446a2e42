/**
 * The effects runner: performs what commits have asked for, one effect of a job at a time, many jobs side by side. Two
 * run over the same store, each with effects of its own: what is announced must not wait behind a call to GitHub.
 *
 * An effect is performed at least once. Its outcome is committed together with its removal, so a crash before that
 * performs it again (`again` tells the performer to look first), and a crash after it does not. A failed try backs
 * off, with jitter or as long as GitHub asked for, and after a bounded number of tries the core is told.
 */
import type { Command } from "../domain/job/command.ts";
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

export interface EffectsRunner {
  /** Something may be due for this job. */
  kick(job: Job): void;
  /** Effects found at the start: an earlier process may have performed them. */
  recover(stored: StoredJob): void;
  /** Starts nothing more and resolves when what is under way has ended. */
  stop(): Promise<void>;
}

type Pending<E extends Effect> = PendingEffect & { readonly effect: E };

export function createEffectsRunner<E extends Effect>(needs: Needs<E>): EffectsRunner {
  const { store, clock, takes, performer, handle, log, meter, random } = needs;
  const turns = createFairQueue(PLACES);
  const working = new Map<JobId, Promise<void>>();
  const kicked = new Set<JobId>();
  const timers = new Map<JobId, () => void>();
  const recovered = new Map<JobId, number>();
  /** Effects by job and key that an earlier try may have done, also where a later commit has replaced them since. */
  const doubtful = new Set<string>();
  let stopping = false;

  const delay = (attempts: number, asked: number | undefined): number => {
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts);
    // a short wait that is asked for again and again must not use up the tries within seconds
    return Math.max(longest / 2 + (random() * longest) / 2, Math.min(asked ?? 0, LONGEST_ASKED_MS));
  };

  const isMine = (pending: PendingEffect): pending is Pending<E> => takes(pending.effect);

  const tryOnce = async (effect: Pending<E>, stored: StoredJob): Promise<Attempt> => {
    const name = `${stored.job.id} ${effect.key}`;
    const again = effect.attempts > 0 || doubtful.has(name) || effect.serial <= (recovered.get(stored.job.id) ?? 0);
    // a commit and what follows from it are much for one turn where a body was large
    await yieldToEventLoop();
    const outcome = await performer.perform(effect.effect, stored.job, again).catch((error: unknown): Attempt => {
      log.error({ job: stored.job.id, effect: effect.key, error }, "an effect threw");
      return { ended: "later", reason: "an internal error occurred" };
    });
    if (outcome.ended === "later") doubtful.add(name);
    else doubtful.delete(name);
    return outcome;
  };

  const abandon = async (id: JobId, effect: PendingEffect, reason: string): Promise<void> => {
    log.error({ job: id, effect: effect.key, reason }, "an effect is given up");
    meter.effect("abandoned");
    const sentence = `GitHub could not be reached or refused (${reason}). Try again with \`/job retry\`.`;
    await handle(id, { type: "effect-abandoned", effect: effect.effect, sentence }, { done: effect });
  };

  const report = async (
    id: JobId,
    effect: PendingEffect,
    outcome: Extract<Attempt, { ended: "done" }>,
  ): Promise<void> => {
    if (outcome.repository) await store.repositories.put(outcome.repository);
    const command: Command | undefined = outcome.command;
    if (command === undefined) await store.jobs.settle(id, effect);
    else await handle(id, command, { done: effect, ...(outcome.log ? { log: outcome.log } : {}) });
  };

  const performOne = async (id: JobId, effect: Pending<E>, stored: StoredJob): Promise<void> => {
    if (!isWanted(effect.effect, stored.job)) {
      await store.jobs.settle(id, effect);
      return;
    }
    const outcome = await tryOnce(effect, stored);
    if (outcome.ended === "done") {
      meter.effect("done");
      log.debug({ job: id, effect: effect.key, repository: fullName(stored.job.repository) }, "effect performed");
      await report(id, effect, outcome);
    } else if (effect.attempts + 1 >= MOST_TRIES) {
      await abandon(id, effect, outcome.reason);
    } else {
      meter.effect("later");
      log.warn({ job: id, effect: effect.key, attempt: effect.attempts + 1, reason: outcome.reason }, "effect put off");
      await store.jobs.postpone(id, effect, clock.now() + delay(effect.attempts, outcome.after_ms));
    }
  };

  /** Nothing is put off for longer than that; what says so was written by a clock that was ahead. */
  const dueAt = ({ not_before }: PendingEffect): number =>
    not_before > clock.now() + LONGEST_ASKED_MS ? clock.now() : not_before;

  const sleepUntil = (job: Job, at: number): void => {
    timers.get(job.id)?.();
    timers.set(
      job.id,
      clock.at(at, () => {
        timers.delete(job.id);
        kick(job);
      }),
    );
  };

  /** Performs the first effect that is due, in the order in which they were asked for; false: none is. */
  const step = async ({ id }: Job): Promise<boolean> => {
    const stored = stopping ? null : await store.jobs.load(id);
    const mine = stored?.effects.filter(isMine) ?? [];
    if (stored === null || mine.length === 0) {
      recovered.delete(id);
      return false;
    }
    const pending = mine.map(({ effect }) => effect);
    const free = mine.filter(({ effect }) => !waitsFor(effect, pending));
    const due = free.find((effect) => dueAt(effect) <= clock.now());
    if (due === undefined) sleepUntil(stored.job, Math.min(...free.map(dueAt)));
    else await performOne(id, due, stored);
    return due !== undefined;
  };

  /** A turn for each effect: a job with many must not keep a place from others. */
  const run = async (job: Job): Promise<void> => {
    try {
      while (kicked.delete(job.id)) {
        while (await turns.take(job.repository.installation_id, () => step(job)));
      }
    } catch (error) {
      log.error({ job: job.id, error }, "the store failed under the effects runner");
      sleepUntil(job, clock.now() + FIRST_DELAY_MS);
    } finally {
      working.delete(job.id);
      if (kicked.has(job.id)) kick(job);
    }
  };

  const kick = (job: Job): void => {
    if (stopping) return;
    kicked.add(job.id);
    if (!working.has(job.id)) working.set(job.id, run(job));
  };

  return {
    kick,
    recover(stored) {
      recovered.set(stored.job.id, Math.max(0, ...stored.effects.map((effect) => effect.serial)));
      kick(stored.job);
    },
    async stop() {
      stopping = true;
      for (const cancel of timers.values()) cancel();
      timers.clear();
      await Promise.allSettled(working.values());
    },
  };
}
