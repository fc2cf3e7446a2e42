/**
 * Computes the pending effects of a stored record after a commit, and after one of them was rescheduled or acknowledged.
 * Pure and shared by all stores and records, so that they behave alike.
 */
import type { EffectRef, Pending, Wanted } from "../domain/pending-effect.ts";

const isThis = (pending: EffectRef, ref: EffectRef): boolean =>
  pending.key === ref.key && pending.serial === ref.serial;

interface Added<E> {
  /** They replace pending ones with the same key. */
  readonly effects: readonly Wanted<E>[];
  /** The effect whose outcome the commit reports. */
  readonly done: EffectRef | null;
  readonly keyOf: (effect: E) => string;
  /** The record's new version. It doubles as serial, since each key appears once per commit and versions are never reused. */
  readonly version: number;
}

export function nextEffects<E>(
  before: readonly Pending<E>[],
  { effects, done, keyOf, version }: Added<E>,
): Pending<E>[] {
  const next = new Map<string, Pending<E>>();
  for (const pending of before) {
    if (done === null || !isThis(pending, done)) next.set(pending.key, pending);
  }
  for (const { effect, urgency, not_before } of effects) {
    const key = keyOf(effect);
    next.delete(key);
    next.set(key, { effect, urgency, not_before, key, serial: version, attempts: 0 });
  }
  return [...next.values()];
}

interface Effectful {
  readonly effects: readonly Pending<unknown>[];
}

/**
 * The record after a failed attempt of an effect; null when the effect was replaced or is gone. Keeps the version: a
 * commit only names effects that it adds and removes, so it cannot lose this change, and a concurrent decision stays
 * valid.
 */
export function rescheduled<S extends Effectful>(before: S, ref: EffectRef, not_before: number): S | null {
  if (!before.effects.some((pending) => isThis(pending, ref))) return null;
  const effects = before.effects.map((pending) =>
    isThis(pending, ref) ? { ...pending, not_before, attempts: pending.attempts + 1 } : pending,
  );
  return { ...before, effects };
}

/**
 * The record without an effect that has no outcome to report; null when it was replaced or is gone. Keeps the version.
 */
export function acknowledged<S extends Effectful>(before: S, ref: EffectRef): S | null {
  const effects = before.effects.filter((pending) => !isThis(pending, ref));
  return effects.length === before.effects.length ? null : { ...before, effects };
}
