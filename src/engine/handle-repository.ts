/** Loads a repository, decides a command and commits the result. Every change of a repository goes through here. */
import type { EffectRef } from "../domain/pending-effect.ts";
import type { RepositoryCommand } from "../domain/repository/command.ts";
import { decideRepository } from "../domain/repository/decide.ts";
import type { Clock } from "./ports/clock.ts";
import type { ObserveRepository, RepositoryStore, StoredRepository } from "./ports/repositories.ts";
import { retryConflicts } from "./retry-conflicts.ts";

/**
 * `done`: the effect whose outcome the command reports; removed in the same commit. Returns the record afterwards; null
 * when there is none.
 */
export type HandleRepository = (
  id: number,
  command: RepositoryCommand,
  done?: EffectRef,
) => Promise<StoredRepository | null>;

interface Needs {
  readonly repositories: Pick<RepositoryStore, "load" | "commit" | "acknowledge">;
  readonly clock: Pick<Clock, "now">;
  /** Whether pull requests that set a repository up are opened at all. */
  readonly offers_set_up: boolean;
  /** Whether schedules start here; missing: they do. */
  readonly runs_schedules?: boolean;
}

export function createRepositoryHandler(needs: Needs): HandleRepository {
  const { repositories, clock, offers_set_up, runs_schedules = true } = needs;
  return (id, command, done) =>
    retryConflicts(`Repository ${id}`, async () => {
      const before = await repositories.load(id);
      const decision = decideRepository(before?.state ?? null, command, {
        ...{ now: clock.now(), offers_set_up, runs_schedules },
      });
      if (decision.kind === "unchanged") {
        if (done !== undefined) await repositories.acknowledge(id, done);
        return before;
      }
      const { state, effects } = decision;
      const expected_version = before?.version ?? 0;
      const answer = await repositories.commit({ id, state, expected_version, effects, done: done ?? null });
      return answer.ok ? answer.stored : "again";
    });
}

export const observing =
  (handle: HandleRepository): ObserveRepository =>
  async (repository) => {
    await handle(repository.id, { type: "observed", repository });
  };
