/** Reads a journal's complete lines. A crash may leave an incomplete one after them, which was never acknowledged. */
import { type Folder, unreadable } from "./disk.ts";
import { Journal } from "./journal.ts";

const LINE_FEED = 10;

/** A file's bytes, and how many of them are complete lines. */
export function readWhole(folder: Folder, name: string) {
  const bytes = folder.fs.readFileSync(folder.pathOf(name));
  return { bytes, size: bytes.lastIndexOf(LINE_FEED) + 1 };
}

/**
 * Gives each complete line, without its line feed, and its byte offset. Lines are views of the bytes: what is kept of
 * them has to be copied. Throws a sentence that names the file and the line that could not be read.
 */
export function eachLine(bytes: Buffer, path: string, read: (line: Buffer, start: number) => void): void {
  let [start, nth] = [0, 1];
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
    try {
      read(bytes.subarray(start, end), start);
    } catch (cause) {
      throw unreadable(`${path} (line ${nth})`, cause);
    }
    start = end + 1;
    nth += 1;
  }
}

/** The lines of one file, as `entryOf` reads them. */
export function readJournal<T>(folder: Folder, name: string, entryOf: (text: string) => T) {
  const { bytes, size } = readWhole(folder, name);
  const entries: T[] = [];
  eachLine(bytes, folder.pathOf(name), (line) => entries.push(entryOf(line.toString("utf8"))));
  return { entries, size };
}

/** Opens a log that is a single file, and reads it if it was there. */
export function openJournal<T>(folder: Folder, name: string, entryOf: (text: string) => T) {
  const isFound = folder.takeFound(name).includes(name);
  const { entries, size } = isFound ? readJournal(folder, name, entryOf) : { entries: [], size: 0 };
  const journal = new Journal(folder.fs, folder.pathOf(name), size);
  folder.flush();
  return { entries, journal };
}
