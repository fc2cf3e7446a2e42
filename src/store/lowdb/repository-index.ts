/**
 * Finds repositories in memory: by number, by name, by installation, by pending effects. What a question
 * costs grows with its answer and not with the number of repositories.
 */
import { fullName } from "../../domain/job/job.ts";
import { nextTimerAt } from "../../domain/repository/next-timer.ts";
import type { StoredRepository } from "../../engine/ports/repositories.ts";
import { repositoryKey } from "../facts.ts";
import { isUnread } from "../tasks.ts";

export const keyOf = (owner: string, name: string): string => repositoryKey(fullName({ owner, name }));

interface Entry {
  readonly stored: StoredRepository;
  readonly key: string;
  /** Null: time alone does not wake it. */
  readonly wakes_at: number | null;
}

export class RepositoryIndex {
  readonly #byId = new Map<number, Entry>();
  readonly #byName = new Map<string, StoredRepository>();
  readonly #byInstallation = new Map<number, Set<number>>();
  readonly #withEffects = new Set<number>();
  readonly #unread = new Set<number>();

  get(id: number): StoredRepository | undefined {
    return this.#byId.get(id)?.stored;
  }

  named(owner: string, name: string): StoredRepository | undefined {
    return this.#byName.get(keyOf(owner, name));
  }

  ofInstallation(installation_id: number): StoredRepository[] {
    return [...(this.#byInstallation.get(installation_id) ?? [])].flatMap((id) => this.get(id) ?? []);
  }

  withEffects(): number[] {
    return [...this.#withEffects];
  }

  unread(): number[] {
    return [...this.#unread];
  }

  /** Of all that time wakes, for the start. */
  *timers(): Generator<{ readonly id: number; readonly at: number }> {
    for (const [id, { wakes_at: at }] of this.#byId) if (at !== null) yield { id, at };
  }

  /** Another repository that had the name loses it. */
  put(stored: StoredRepository): void {
    const { id, owner, name, installation_id } = stored.state;
    const key = keyOf(owner, name);
    const former = this.#byName.get(key);
    if (former !== undefined) this.remove(former);
    const known = this.get(id);
    if (known !== undefined) this.remove(known);
    this.#byId.set(id, { stored, key, wakes_at: nextTimerAt(stored.state) });
    this.#byName.set(key, stored);
    if (stored.effects.length > 0) this.#withEffects.add(id);
    if (isUnread(stored)) this.#unread.add(id);
    const here = this.#byInstallation.get(installation_id);
    if (here === undefined) this.#byInstallation.set(installation_id, new Set([id]));
    else here.add(id);
  }

  remove({ state: { id } }: StoredRepository): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    this.#byId.delete(id);
    this.#byName.delete(known.key);
    this.#withEffects.delete(id);
    this.#unread.delete(id);
    const { installation_id } = known.stored.state;
    const here = this.#byInstallation.get(installation_id);
    here?.delete(id);
    if (here?.size === 0) this.#byInstallation.delete(installation_id);
  }
}
