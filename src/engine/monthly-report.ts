/** Puts the figures of a month into the effect that tells them on GitHub. */
import type { RepositoryEffect } from "../domain/repository/effect.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import type { RepositoryAttempt } from "./ports/performer.ts";
import type { SpendingStore } from "./ports/spending.ts";
import { usageOfMonths } from "./usage-reply.ts";

interface Performs {
  perform(effect: RepositoryEffect, repository: RepositoryState, again: boolean): Promise<RepositoryAttempt>;
}

/** Of a month in which nothing was asked for there is nothing to tell. */
export const withFigures = (performer: Performs, spending: Pick<SpendingStore, "usage">): Performs => ({
  async perform(effect, repository, again) {
    if (effect.type !== "report-month") return performer.perform(effect, repository, again);
    const { text, is_empty } = await usageOfMonths(spending, repository, Date.parse(`${effect.month}-15`), [0, 1]);
    return is_empty ? { ended: "done" } : performer.perform({ ...effect, body: text }, repository, again);
  },
});
