/** Reads a journal's complete lines and validates each. */
import { type Folder, unreadable } from "./disk.ts";

export interface ReadJournal<T> {
  readonly entries: readonly T[];
  /** Bytes of the complete lines. A crash may leave an incomplete one after them, which was never acknowledged. */
  readonly size: number;
}

/** Throws a sentence that names the damaged file and line. */
export function readJournal<T>(folder: Folder, name: string, entryOf: (text: string) => T): ReadJournal<T> {
  const text = folder.read(name);
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const entries = whole
    .split("\n")
    .slice(0, -1)
    .map((row, position) => {
      try {
        return entryOf(row);
      } catch (cause) {
        throw unreadable(`${folder.pathOf(name)} (line ${position + 1})`, cause);
      }
    });
  return { entries, size: Buffer.byteLength(whole) };
}
