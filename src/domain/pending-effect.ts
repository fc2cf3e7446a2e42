/** Effects as commits ask for them and as they are stored, whatever they belong to: a job or a repository. */

/** `now`: people wait for it. `soon`: with the next write. `whenever`: another write may make it needless. */
export const URGENCIES = ["now", "soon", "whenever"] as const;
export type Urgency = (typeof URGENCIES)[number];

/** An effect as it is asked for: `not_before` holds it back, in milliseconds since the epoch. */
export interface Wanted<E> {
  readonly effect: E;
  readonly urgency: Urgency;
  readonly not_before: number;
}

/** Names one stored effect; `serial` tells a replaced one from its successor. */
export interface EffectRef {
  readonly key: string;
  readonly serial: number;
}

/** An effect as it is stored with what it belongs to. */
export interface Pending<E> extends Wanted<E>, EffectRef {
  /** Attempts that have failed. */
  readonly attempts: number;
}
