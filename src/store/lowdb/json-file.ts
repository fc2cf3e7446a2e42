/**
 * A lowdb database in one durable file. lowdb holds the data and asks its adapter to read and write; this adapter
 * checks what it reads and flushes what it writes. lowdb's own `update` is not used: it changes data in place, so a
 * function that throws would leave half a change.
 */
import { LowSync, type SyncAdapter } from "lowdb";
import { type Folder, unreadable } from "./disk.ts";

/** How data stands in a file. `parse` checks it and throws when it is not what was written. */
export interface Format<T> {
  parse(text: string): T;
  write(data: T): string;
  /** What parsing its text would answer, where that can be said without it. Throws where it would. */
  asRead?(data: T): T;
}

/** Data as a file holds it, frozen: it is handed out more than once, and no reader may change it for the others. */
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

  /** Checks before it writes: what could not be read again must not replace what can. */
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

/** What the file holds, or null when there is none. Throws a sentence that names the file when it is damaged. */
export function readFile<T>(folder: Folder, name: string, format: Format<T>): Kept<T> | null {
  const adapter = new DurableAdapter<T>(folder, name, format);
  new LowSync<T | null>({ read: () => adapter.read(), write: () => undefined }, null).read();
  return adapter.kept;
}

/** Durable on return; throws when the file still holds what it held. Answers what a later read would. */
export function writeFile<T>(folder: Folder, name: string, format: Format<T>, data: T): Kept<T> {
  const adapter = new DurableAdapter<T>(folder, name, format);
  new LowSync<T>(adapter, data).write();
  if (adapter.kept === null) throw new Error(`${name} was not written.`);
  return adapter.kept;
}

/** What is frozen already is so to the bottom: all freezing is done here, and most of a record was there before. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  // most are none, and a call for each would show in every commit
  for (const inner of Object.values(value)) if (typeof inner === "object") frozen(inner);
  return Object.freeze(value);
}
