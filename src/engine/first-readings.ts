/**
 * Has the files of repositories read that nobody has read: those that were installed, renamed or transferred, and those
 * that an earlier version has not read. One after another, whatever their number, so that jobs keep what GitHub allows.
 */
import type { HandleRepository } from "./handle-repository.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { RepositoryStore, StoredRepository } from "./ports/repositories.ts";

/** 1,800 an hour, of at least 5,000 points that GitHub gives an installation. */
export const READING_EVERY_MS = 2_000;

interface Needs {
  readonly repositories: Pick<RepositoryStore, "unread">;
  readonly clock: Clock;
  readonly handle: HandleRepository;
  readonly log: Pick<Log, "error">;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  readonly isOn: boolean;
}

export interface FirstReadings {
  start(): Promise<void>;
  committed(stored: StoredRepository): void;
  stop(): void;
}

const isAsked = ({ effects }: StoredRepository): boolean =>
  effects.some(({ effect }) => effect.type === "read-settings");

export function createFirstReadings({ repositories, clock, handle, log, random, isOn }: Needs): FirstReadings {
  /** The newest is read first: somebody has just installed it. */
  const waiting: number[] = [];
  const known = new Set<number>();
  let cancel: (() => void) | null = null;
  let stopped = !isOn;

  const arm = (): void => {
    if (stopped || cancel !== null || waiting.length === 0) return;
    cancel = clock.at(clock.now() + READING_EVERY_MS * (random() + 1 / 2), () => {
      cancel = null;
      void next();
    });
  };

  const next = async (): Promise<void> => {
    const id = waiting.pop();
    if (id === undefined || stopped) return;
    known.delete(id);
    await handle(id, { type: "first-reading-due" }).catch((error: unknown) =>
      log.error({ repository: id, error }, "the files of a repository could not be asked for"),
    );
    arm();
  };

  const add = (id: number): void => {
    if (stopped || known.has(id)) return;
    known.add(id);
    waiting.push(id);
    arm();
  };

  return {
    async start() {
      if (isOn) for (const id of await repositories.unread()) add(id);
    },
    committed(stored) {
      if (!stored.state.files_read && !isAsked(stored)) add(stored.state.id);
    },
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
