/** Repositories: one lowdb file each, cached in memory; assumes at most about 10,000 repositories. */
import * as z from "zod";
import { type EffectRef, URGENCIES } from "../../domain/pending-effect.ts";
import { repositoryEffectKey, repositoryEffectSchema } from "../../domain/repository/effect.ts";
import type { RepositoryState } from "../../domain/repository/repository.ts";
import { repositoryStateSchema } from "../../domain/repository/schema.ts";
import type {
  RepositoryCommit,
  RepositoryCommitAnswer,
  RepositoryStore,
  StoredRepository,
} from "../../engine/ports/repositories.ts";
import type { Task, WorkQueue } from "../../engine/ports/work-queue.ts";
import { acknowledged, nextEffects, rescheduled } from "../next-effects.ts";
import { effectsLeftOfRepository, tasksOfRepository, timerOfRepository } from "../tasks.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";
import { keyOf, RepositoryIndex } from "./repository-index.ts";

const ENDING = ".json";

const effectSchema = z.object({
  key: z.string(),
  serial: z.number(),
  attempts: z.number(),
  not_before: z.number(),
  urgency: z.enum(URGENCIES),
  effect: repositoryEffectSchema,
});

const recordSchema = z.object({
  state: repositoryStateSchema,
  version: z.number().int().positive(),
  effects: z.array(effectSchema),
});

const format: Format<StoredRepository> = {
  parse: (text) => recordSchema.parse(readRecord("repository", text)),
  write: (repository) => writeRecord("repository", repository),
};

/** The slash becomes `%2F`, so that a name can neither leave the folder nor collide with another. */
const fileOf = (key: string): string => `${encodeURIComponent(key)}${ENDING}`;

const keyOfState = ({ owner, name }: RepositoryState): string => keyOf(owner, name);

export class LowdbRepositories implements RepositoryStore {
  readonly #folder: Folder;
  readonly #queue: Pick<WorkQueue, "schedule">;
  readonly #index = new RepositoryIndex();

  constructor(folder: Folder, queue: Pick<WorkQueue, "schedule">) {
    this.#folder = folder;
    this.#queue = queue;
    for (const name of folder.takeFound(ENDING)) {
      const stored = readFile(folder, name, format)?.data;
      if (stored !== undefined) this.#index.put(stored);
    }
  }

  async get(owner: string, name: string): Promise<RepositoryState | null> {
    return this.#index.named(owner, name)?.state ?? null;
  }

  async byId(id: number): Promise<RepositoryState | null> {
    return this.#index.get(id)?.state ?? null;
  }

  async ofInstallation(installation_id: number): Promise<readonly RepositoryState[]> {
    return this.#index.ofInstallation(installation_id).map(({ state }) => state);
  }

  async load(id: number): Promise<StoredRepository | null> {
    return this.#index.get(id) ?? null;
  }

  async commit(commit: RepositoryCommit): Promise<RepositoryCommitAnswer> {
    const before = this.#index.get(commit.id);
    if ((before?.version ?? 0) !== commit.expected_version) return { ok: false };
    const { state } = commit;
    if (state === null) {
      if (before !== undefined) {
        this.#folder.remove(fileOf(keyOfState(before.state)));
        this.#index.remove(before);
      }
      return { ok: true, stored: null };
    }
    const version = commit.expected_version + 1;
    const effects = nextEffects(before?.effects ?? [], { ...commit, keyOf: repositoryEffectKey, version });
    const stored = this.#write({ state, version, effects });
    await this.#queue.schedule(tasksOfRepository(before ?? null, stored));
    return { ok: true, stored };
  }

  /** What is left to do. */
  *tasks(): Generator<Task> {
    for (const id of this.#index.withEffects()) {
      const stored = this.#index.get(id);
      if (stored !== undefined) yield* effectsLeftOfRepository(stored);
    }
    for (const { id, at } of this.#index.timers()) yield* timerOfRepository(id, at);
  }

  async reschedule(id: number, effect: EffectRef, not_before: number): Promise<boolean> {
    return this.#rewrite(id, (before) => rescheduled(before, effect, not_before));
  }

  async acknowledge(id: number, effect: EffectRef): Promise<boolean> {
    return this.#rewrite(id, (before) => acknowledged(before, effect));
  }

  async withEffects(): Promise<readonly number[]> {
    return this.#index.withEffects();
  }

  async unread(): Promise<readonly number[]> {
    return this.#index.unread();
  }

  #rewrite(id: number, change: (before: StoredRepository) => StoredRepository | null): boolean {
    const before = this.#index.get(id);
    const next = before === undefined ? null : change(before);
    if (next === null) return false;
    this.#write(next);
    return true;
  }

  #write(next: StoredRepository): StoredRepository {
    const before = this.#index.get(next.state.id);
    const key = keyOfState(next.state);
    const kept = writeFile(this.#folder, fileOf(key), format, next).data;
    if (before !== undefined && keyOfState(before.state) !== key) this.#folder.remove(fileOf(keyOfState(before.state)));
    this.#index.put(kept);
    return kept;
  }
}
