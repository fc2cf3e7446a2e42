/**
 * Keeps repositories within the limits of their settings: decisions that take a place are made one at a time for each
 * repository, and a commit that gives one back lets the next of the line begin. What a crash leaves is made up for at the
 * start and every hour.
 */
import { UNREAD_REPOSITORY_SETTINGS } from "../contracts/settings.ts";
import type { Command } from "../domain/job/command.ts";
import { fullName, type Job, type JobId, type Repository } from "../domain/job/job.ts";
import {
  givesPlace,
  type LineFacts,
  leavesLine,
  limitsPlaces,
  type PlaceLimits,
  placeLimitsOf,
  shownTooFarBack,
  walkLine,
} from "../domain/job/line.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import type { JobStore, StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { RepositoryStore } from "./ports/repositories.ts";
import type { Handled } from "./ports/service.ts";
import { createTurns } from "./turns.ts";

type Named = Pick<Repository, "owner" | "name">;

interface Needs {
  readonly jobs: Pick<JobStore, "placesIn" | "lines" | "openIn">;
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly handle: (id: JobId, command: Command) => Promise<Handled>;
  /** False: this process does not know all jobs of a repository, so none has to wait. */
  readonly knows_all_jobs: boolean;
  readonly log: Pick<Log, "error">;
}

export interface Line {
  /** Runs what takes a place; one at a time for each repository. */
  inTurn<T>(repository: Named, work: () => Promise<T>): Promise<T>;
  /** `unknown`: the repository's limits are. */
  facts(repository: Named): Promise<LineFacts | "unknown">;
  committed(stored: StoredJob, before: Job | null): void;
  repositoryCommitted(state: RepositoryState, before: RepositoryState | null): void;
  /** Lets everybody begin for whom there is room. */
  moveAll(): Promise<void>;
  /** Resolves when nobody is being told to begin any more. */
  stop(): Promise<void>;
}

const NO_LIMITS: LineFacts = { limits: {}, places: [] };

/** Null: nobody has read them. Where there is no file, or it cannot be read, nothing is limited. */
function limitsOf(known: RepositoryState | null): PlaceLimits | null {
  if (known === null) return null;
  if (known.settings !== null) return placeLimitsOf(known.settings);
  return known.base === null && known.settings_problem === null ? null : placeLimitsOf(UNREAD_REPOSITORY_SETTINGS);
}

const keyOf = (repository: Named): string => fullName(repository).toLowerCase();

function named(full_name: string): Named {
  const [owner = "", name = ""] = full_name.split("/");
  return { owner, name };
}

/** Jobs at rest whose settings are those of their last look: with a pull request, or a question that gives no place. */
async function mayExpire(jobs: Needs["jobs"], repository: string): Promise<ReadonlySet<JobId>> {
  const settled = (await jobs.placesIn(repository)).filter((one) => !one.runs && one.waits_since === null);
  const asking = (await jobs.openIn(repository)).filter(({ status }) => status === "waiting_for_user");
  return new Set([...settled, ...asking].map(({ id }) => id));
}

/** Tells those whose number in line has changed enough. */
async function showPlaces({ jobs, handle }: Pick<Needs, "jobs" | "handle">, repository: Named): Promise<void> {
  for (const id of shownTooFarBack(await jobs.placesIn(fullName(repository)))) await handle(id, { type: "line-moved" });
}

export function createLine({ jobs, repositories, handle, knows_all_jobs, log }: Needs): Line {
  const inTurn = createTurns();
  const moving = new Map<string, { again: boolean; readonly done: Promise<void> }>();
  let stopped = false;

  const facts = async (repository: Named): Promise<LineFacts | "unknown"> => {
    if (!knows_all_jobs) return NO_LIMITS;
    const limits = limitsOf(await repositories.get(repository.owner, repository.name));
    if (limits === null) return "unknown";
    return limitsPlaces(limits) ? { limits, places: await jobs.placesIn(fullName(repository)) } : NO_LIMITS;
  };

  /** Without limits everybody may begin; while those are unknown one job does, which reads them. */
  const next = async (repository: Named): Promise<{ readonly id: JobId; readonly alone: boolean } | null> => {
    const places = await jobs.placesIn(fullName(repository));
    const known = await facts(repository);
    const limits = known === "unknown" ? {} : known.limits;
    const first = walkLine({ limits, places }).find(({ reached }) => reached === null);
    return first === undefined ? null : { id: first.id, alone: known === "unknown" };
  };

  const moveOnce = async (repository: Named): Promise<void> => {
    let told: JobId | null = null;
    for (let first = await next(repository); first !== null && !stopped; first = await next(repository)) {
      const answer = await handle(first.id, { type: "begin" });
      const begins = answer.ok && answer.changed;
      // one that was cancelled meanwhile leaves the place to the one behind it
      if (first.alone || (!begins && told === first.id)) return;
      told = begins ? null : first.id;
    }
  };

  const run = async (repository: Named, key: string): Promise<void> => {
    try {
      for (let again = true; again && !stopped; again = moving.get(key)?.again === true) {
        const state = moving.get(key);
        if (state !== undefined) state.again = false;
        await moveOnce(repository);
        await showPlaces({ jobs, handle }, repository);
      }
    } catch (error) {
      log.error({ repository: fullName(repository), error }, "the line of waiting jobs could not be moved");
    } finally {
      moving.delete(key);
    }
  };

  const move = (repository: Named): Promise<void> => {
    const key = keyOf(repository);
    const under_way = moving.get(key);
    if (under_way !== undefined) {
      under_way.again = true;
      return under_way.done;
    }
    // begins after the commit that is being told of
    const done = Promise.resolve().then(() => run(repository, key));
    moving.set(key, { again: false, done });
    return done;
  };

  const tellLimits = async (state: RepositoryState): Promise<void> => {
    const { limits } = state.settings ?? UNREAD_REPOSITORY_SETTINGS;
    for (const id of await mayExpire(jobs, fullName(state))) await handle(id, { type: "limits-changed", limits });
  };

  const changed = async (state: RepositoryState): Promise<void> => {
    await move(state);
    await tellLimits(state).catch((error: unknown) =>
      log.error({ repository: fullName(state), error }, "changed limits could not be told to open pull requests"),
    );
  };

  return {
    inTurn: (repository, work) => inTurn(keyOf(repository), work),
    facts,
    committed({ job }, before) {
      if (before !== null && (givesPlace(before, job) || leavesLine(before, job))) void move(job.repository);
    },
    repositoryCommitted(state, before) {
      const of = (one: RepositoryState | null) => JSON.stringify(one?.settings?.limits);
      if (of(state) !== of(before)) void changed(state);
    },
    async moveAll() {
      for (const name of await jobs.lines()) if (!stopped) await move(named(name));
    },
    async stop() {
      stopped = true;
      await Promise.all([...moving.values()].map(({ done }) => done));
    },
  };
}
