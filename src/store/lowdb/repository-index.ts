/**
 * Finds repositories in memory: by number, by name, by installation, by their timers and pending effects. What a question
 * costs grows with its answer and not with the number of repositories.
 */
import { fullName } from "../../domain/job/job.ts";
import { nextTimerAt } from "../../domain/repository/next-timer.ts";
import type { StoredRepository } from "../../engine/ports/repositories.ts";
import { repositoryKey } from "../facts.ts";
import { SortedList } from "./sorted-list.ts";

export const keyOf = (owner: string, name: string): string => repositoryKey(fullName({ owner, name }));

interface Waking {
  readonly id: number;
  readonly at: number;
}

interface Entry {
  readonly stored: StoredRepository;
  readonly key: string;
  /** Null: time alone does not wake it. */
  readonly waking: Waking | null;
}

const byTime = (a: Waking, b: Waking): number => a.at - b.at || a.id - b.id;

export class RepositoryIndex {
  readonly #byId = new Map<number, Entry>();
  readonly #byName = new Map<string, StoredRepository>();
  readonly #byInstallation = new Map<number, Set<number>>();
  readonly #waking = new SortedList<Waking>(byTime);
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

  due(now: number, limit: number): number[] {
    const due: number[] = [];
    for (let next = this.#waking.at(0); next !== undefined && due.length < limit; next = this.#waking.at(due.length)) {
      if (next.at > now) break;
      due.push(next.id);
    }
    return due;
  }

  nextWake(): number | null {
    return this.#waking.at(0)?.at ?? null;
  }

  /** Another repository that had the name loses it. */
  put(stored: StoredRepository): void {
    const { id, owner, name, installation_id } = stored.state;
    const key = keyOf(owner, name);
    const former = this.#byName.get(key);
    if (former !== undefined) this.remove(former);
    const known = this.get(id);
    if (known !== undefined) this.remove(known);
    const at = nextTimerAt(stored.state);
    const waking = at === null ? null : { id, at };
    this.#byId.set(id, { stored, key, waking });
    this.#byName.set(key, stored);
    if (waking !== null) this.#waking.add(waking);
    if (stored.effects.length > 0) this.#withEffects.add(id);
    if (!stored.state.files_read) this.#unread.add(id);
    const here = this.#byInstallation.get(installation_id);
    if (here === undefined) this.#byInstallation.set(installation_id, new Set([id]));
    else here.add(id);
  }

  remove({ state: { id } }: StoredRepository): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    this.#byId.delete(id);
    this.#byName.delete(known.key);
    if (known.waking !== null) this.#waking.remove(known.waking);
    this.#withEffects.delete(id);
    this.#unread.delete(id);
    const { installation_id } = known.stored.state;
    const here = this.#byInstallation.get(installation_id);
    here?.delete(id);
    if (here?.size === 0) this.#byInstallation.delete(installation_id);
  }
}
