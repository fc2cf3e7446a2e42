/** Repositories: one lowdb file each, cached in memory; assumes at most about 10,000 repositories. */
import * as z from "zod";
import { fullName } from "../../domain/job/job.ts";
import { type EffectRef, URGENCIES } from "../../domain/pending-effect.ts";
import { repositoryEffectKey, repositoryEffectSchema } from "../../domain/repository/effect.ts";
import { nextTimerAt } from "../../domain/repository/next-timer.ts";
import type { RepositoryState } from "../../domain/repository/repository.ts";
import { repositoryStateSchema } from "../../domain/repository/schema.ts";
import type {
  RepositoryCommit,
  RepositoryCommitAnswer,
  RepositoryStore,
  StoredRepository,
} from "../../engine/ports/repositories.ts";
import { repositoryKey } from "../facts.ts";
import { acknowledged, nextEffects, rescheduled } from "../next-effects.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";

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

const keyOf = (owner: string, name: string): string => repositoryKey(fullName({ owner, name }));

/** The slash becomes `%2F`, so that a name can neither leave the folder nor collide with another. */
const fileOf = (key: string): string => `${encodeURIComponent(key)}${ENDING}`;

const keyOfState = ({ owner, name }: RepositoryState): string => keyOf(owner, name);

export class LowdbRepositories implements RepositoryStore {
  readonly #folder: Folder;
  readonly #byName = new Map<string, StoredRepository>();
  readonly #byId = new Map<number, StoredRepository>();

  constructor(folder: Folder) {
    this.#folder = folder;
    for (const name of folder.takeFound(ENDING)) {
      const stored = readFile(folder, name, format)?.data;
      if (stored !== undefined) this.#keep(stored);
    }
  }

  async get(owner: string, name: string): Promise<RepositoryState | null> {
    return this.#byName.get(keyOf(owner, name))?.state ?? null;
  }

  async byId(id: number): Promise<RepositoryState | null> {
    return this.#byId.get(id)?.state ?? null;
  }

  async ofInstallation(installation_id: number): Promise<readonly RepositoryState[]> {
    return [...this.#byId.values()].map(({ state }) => state).filter((one) => one.installation_id === installation_id);
  }

  async load(id: number): Promise<StoredRepository | null> {
    return this.#byId.get(id) ?? null;
  }

  async commit(commit: RepositoryCommit): Promise<RepositoryCommitAnswer> {
    const before = this.#byId.get(commit.id) ?? null;
    if ((before?.version ?? 0) !== commit.expected_version) return { ok: false };
    const { state } = commit;
    if (state === null) {
      if (before !== null) this.#remove(before);
      return { ok: true, stored: null };
    }
    const version = commit.expected_version + 1;
    const effects = nextEffects(before?.effects ?? [], { ...commit, keyOf: repositoryEffectKey, version });
    return { ok: true, stored: this.#write({ state, version, effects }) };
  }

  async reschedule(id: number, effect: EffectRef, not_before: number): Promise<boolean> {
    return this.#rewrite(id, (before) => rescheduled(before, effect, not_before));
  }

  async acknowledge(id: number, effect: EffectRef): Promise<boolean> {
    return this.#rewrite(id, (before) => acknowledged(before, effect));
  }

  async withEffects(): Promise<readonly number[]> {
    return [...this.#byId].filter(([, { effects }]) => effects.length > 0).map(([id]) => id);
  }

  async due(now: number, limit: number): Promise<readonly number[]> {
    return this.#timers()
      .filter(({ at }) => at <= now)
      .slice(0, limit)
      .map(({ id }) => id);
  }

  async nextWake(): Promise<number | null> {
    return this.#timers()[0]?.at ?? null;
  }

  /** Earliest first. */
  #timers(): { readonly id: number; readonly at: number }[] {
    return [...this.#byId]
      .flatMap(([id, { state }]) => {
        const at = nextTimerAt(state);
        return at === null ? [] : [{ id, at }];
      })
      .sort((a, b) => a.at - b.at);
  }

  #rewrite(id: number, change: (before: StoredRepository) => StoredRepository | null): boolean {
    const before = this.#byId.get(id);
    const next = before === undefined ? null : change(before);
    if (next === null) return false;
    this.#write(next);
    return true;
  }

  #write(next: StoredRepository): StoredRepository {
    const before = this.#byId.get(next.state.id);
    const key = keyOfState(next.state);
    const kept = writeFile(this.#folder, fileOf(key), format, next).data;
    if (before !== undefined && keyOfState(before.state) !== key) this.#remove(before);
    this.#keep(kept);
    return kept;
  }

  /** Another repository that had the name loses it. */
  #keep(stored: StoredRepository): void {
    const key = keyOfState(stored.state);
    const former = this.#byName.get(key);
    if (former !== undefined && former.state.id !== stored.state.id) this.#byId.delete(former.state.id);
    this.#byName.set(key, stored);
    this.#byId.set(stored.state.id, stored);
  }

  #remove(stored: StoredRepository): void {
    const key = keyOfState(stored.state);
    this.#byId.delete(stored.state.id);
    // Another repository may have the name by now.
    if (this.#byName.get(key) !== stored) return;
    this.#folder.remove(fileOf(key));
    this.#byName.delete(key);
  }
}
