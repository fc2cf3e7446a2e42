/**
 * A lowdb database in one durable file. This adapter validates what lowdb reads and flushes what it writes. lowdb's
 * `update` is not used: it changes data in place, so an exception would leave half a change.
 */
import { LowSync, type SyncAdapter } from "lowdb";
import { type Folder, unreadable } from "./disk.ts";

/** A file format. `parse` validates the data and throws if it is invalid. */
export interface Format<T> {
  parse(text: string): T;
  write(data: T): string;
  /** The result of parsing its text, if it can be computed directly. Throws where parsing would. */
  asRead?(data: T): T;
}

/** Data of a file, frozen, since it is shared between readers. */
export interface Kept<T> {
  readonly data: T;
  /** Length of its text. */
  readonly size: number;
}

class DurableAdapter<T> implements SyncAdapter<T> {
  readonly #folder: Folder;
  readonly #name: string;
  readonly #format: Format<T>;
  kept: Kept<T> | null = null;

  constructor(folder: Folder, name: string, format: Format<T>) {
    this.#folder = folder;
    this.#name = name;
    this.#format = format;
  }

  read(): T | null {
    try {
      this.kept = this.#keep(this.#folder.read(this.#name));
      return this.kept.data;
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
      throw unreadable(this.#folder.pathOf(this.#name), cause);
    }
  }

  /** Validates before writing: unreadable data must not replace readable data. */
  write(data: T): void {
    const text = this.#format.write(data);
    this.kept =
      this.#format.asRead === undefined
        ? this.#keep(text)
        : { data: frozen(this.#format.asRead(data)), size: text.length };
    this.#folder.replace(this.#name, text);
  }

  #keep(text: string): Kept<T> {
    return { data: frozen(this.#format.parse(text)), size: text.length };
  }
}

/** The file's data; null when it does not exist. Throws a sentence that names a damaged file. */
export function readFile<T>(folder: Folder, name: string, format: Format<T>): Kept<T> | null {
  const adapter = new DurableAdapter<T>(folder, name, format);
  new LowSync<T | null>({ read: () => adapter.read(), write: () => undefined }, null).read();
  return adapter.kept;
}

/** Durable on return; throws when the file is unchanged. Returns what a later read would. */
export function writeFile<T>(folder: Folder, name: string, format: Format<T>, data: T): Kept<T> {
  const adapter = new DurableAdapter<T>(folder, name, format);
  new LowSync<T>(adapter, data).write();
  if (adapter.kept === null) throw new Error(`${name} was not written.`);
  return adapter.kept;
}

/** Frozen values are frozen deeply, and most of a record was frozen before. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  // Skips primitives first: most values are, and a call for each would slow down every commit.
  for (const inner of Object.values(value)) if (typeof inner === "object") frozen(inner);
  return Object.freeze(value);
}
