/**
 * Has the files of repositories read that nobody has read: those that were installed, renamed or transferred, and those
 * that an earlier version has not read. One after another, whatever their number, so that jobs keep what GitHub allows.
 */
import type { HandleRepository } from "./handle-repository.ts";
import type { Clock } from "./ports/clock.ts";
import type { RepositoryStore } from "./ports/repositories.ts";
import type { TaskHandler } from "./ports/work-queue.ts";

/** 1,800 an hour, of at least 5,000 points that GitHub gives an installation. */
export const READING_EVERY_MS = 2_000;

interface Needs {
  readonly repositories: Pick<RepositoryStore, "unread">;
  readonly clock: Pick<Clock, "now">;
  readonly handle: HandleRepository;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  readonly isOn: boolean;
}

export function createFirstReadings({ repositories, clock, handle, random, isOn }: Needs): TaskHandler {
  /** When the next one may be read; null: there was none left. */
  let due: number | null = null;
  const pause = (): number => clock.now() + READING_EVERY_MS * (random() + 1 / 2);
  return {
    slots: 1,
    async perform() {
      if (!isOn) return null;
      due ??= pause();
      if (due > clock.now()) return { again_at: due };
      const unread = await repositories.unread();
      // the newest is read first: somebody has just installed it
      const id = unread.at(-1);
      if (id !== undefined) await handle(id, { type: "first-reading-due" });
      due = unread.length > 1 ? pause() : null;
      return due === null ? null : { again_at: due };
    },
  };
}
