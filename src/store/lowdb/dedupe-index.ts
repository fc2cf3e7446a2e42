/**
 * Remembers which webhook deliveries were recorded, as long as GitHub may redeliver them. Ids of retired journals are
 * in lowdb files, the newest ones in the journals.
 */
import type { Folder } from "./disk.ts";
import { type Seen, seenFormat } from "./inbox-lines.ts";
import { readFile, writeFile } from "./json-file.ts";

/** GitHub redelivers for three days; one more day for differing clocks and late manual redeliveries. */
const KEPT_MS = 4 * 24 * 3_600_000;

/** Ids in memory: about 20 MB. The oldest are dropped first; such a delivery would be processed again. */
const MAX_IDS = 200_000;

interface SeenFile {
  readonly name: string;
  readonly count: number;
  readonly newest: number;
}

const newestOf = (seen: Seen): number => {
  let newest = Number.NEGATIVE_INFINITY;
  for (const at of seen.values()) newest = Math.max(newest, at);
  return newest;
};

export class DedupeIndex {
  readonly #folder: Folder;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #ids = new Map<string, number>();
  #files: readonly SeenFile[];

  constructor(folder: Folder, now: () => number) {
    this.#folder = folder;
    this.#now = now;
    this.#files = folder
      .takeFound(".json")
      .sort()
      .map((name) => this.#read(name));
  }

  has(id: string): boolean {
    const at = this.#ids.get(id);
    return at !== undefined && at > this.#now() - KEPT_MS;
  }

  add(id: string, at: number): void {
    this.#ids.delete(id);
    this.#ids.set(id, at);
    for (const oldest of this.#ids.keys()) {
      if (this.#ids.size <= MAX_IDS) break;
      this.#ids.delete(oldest);
    }
  }

  forget(id: string): void {
    this.#ids.delete(id);
  }

  /** Saves the ids of a retired journal and drops ids that are too old or too many. */
  keep(number: number, seen: Seen): void {
    const name = `seen-${String(number).padStart(8, "0")}.json`;
    writeFile(this.#folder, name, seenFormat, seen);
    const files = [...this.#files, { name, count: seen.size, newest: newestOf(seen) }];
    let count = 0;
    const kept: SeenFile[] = [];
    for (const file of files.toReversed()) {
      if (count < MAX_IDS && file.newest > this.#now() - KEPT_MS) kept.unshift(file);
      else this.#folder.remove(file.name);
      count += file.count;
    }
    this.#files = kept;
    for (const [id, at] of this.#ids) if (at <= this.#now() - KEPT_MS) this.#ids.delete(id);
  }

  #read(name: string): SeenFile {
    const seen: Seen = readFile(this.#folder, name, seenFormat)?.data ?? new Map();
    for (const [id, at] of seen) this.add(id, at);
    return { name, count: seen.size, newest: newestOf(seen) };
  }
}
