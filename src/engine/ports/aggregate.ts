/** What jobs and repositories have in common in a store: effects to perform. */
import type { EffectRef, Pending } from "../../domain/pending-effect.ts";

/** The effects of stored records. */
export interface EffectStore<Id, S extends { readonly effects: readonly Pending<unknown>[] }> {
  load(id: Id): Promise<S | null>;
  /** Puts an effect off after a failed attempt; false when it was replaced meanwhile. */
  reschedule(id: Id, effect: EffectRef, not_before: number): Promise<boolean>;
  /** Removes a pending effect that has no outcome to report; false when it was replaced meanwhile. */
  acknowledge(id: Id, effect: EffectRef): Promise<boolean>;
  /** Records with pending effects, for the start. */
  withEffects(): Promise<readonly Id[]>;
}
