/**
 * The logs of jobs, in files beside their records, so that the cost of a commit does not depend on the length of the
 * log. Lines are appended; a log that starts anew, or has dropped more than it has left, gets a new file. A file that
 * no record names is ignored.
 */
import * as z from "zod";
import { type LogLine, logLineSchema } from "../../contracts/log-line.ts";
import type { JobId } from "../../domain/job/job.ts";
import type { Folder } from "./disk.ts";

const ENDING = ".jsonl";

/** Where a log stands. */
export const logPlace = z.object({
  /** Of the files that the job's logs have had, which one: the version of the record that it was made for. */
  file: z.number().int().positive(),
  /** Its bytes, from here to there. */
  from: z.number().int().nonnegative(),
  to: z.number().int().positive(),
});
export type LogPlace = z.infer<typeof logPlace>;

/** A log, and where it stands; null: nowhere yet. */
export interface PlacedLog {
  readonly lines: readonly LogLine[];
  readonly place: LogPlace | null;
}

export const logFileName = (id: string, { file }: LogPlace): string => `${id}-${file}${ENDING}`;

const rowOf = (line: LogLine): string => `${JSON.stringify(line)}\n`;
const sizeOf = (lines: readonly LogLine[]): number =>
  lines.reduce((sum, line) => sum + Buffer.byteLength(rowOf(line)), 0);

const isSame = (a: LogLine | undefined, b: LogLine): boolean =>
  a !== undefined && a.seq === b.seq && a.at === b.at && a.level === b.level && a.text === b.text;

/** How many of the lines before the next ones begin with; -1: they are another log. */
function sharedWith(before: readonly LogLine[], next: readonly LogLine[]): number {
  const last = before.at(-1);
  const shared = last === undefined ? 0 : next.findIndex((line) => isSame(last, line)) + 1;
  const goesOn = next.slice(0, shared).every((line, index) => isSame(before[before.length - shared + index], line));
  return shared > 0 && goesOn ? shared : -1;
}

export class JobLogs {
  readonly #folder: Folder;

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  /** Removes what a crash has left: files that are none of these. */
  sweep(named: ReadonlySet<string>): void {
    for (const name of this.#folder.takeFound(ENDING)) if (!named.has(name)) this.#remove(name);
  }

  /** A line that cannot be read is left out: no job may stand still for its log. */
  read(id: JobId, place: LogPlace): LogLine[] {
    const text = this.#bytes(logFileName(id, place), place).toString("utf8");
    return text.split("\n").flatMap((row) => lineOf(row) ?? []);
  }

  /** Writes these lines in the place of the others, durably but for the name, which the record's own flush keeps. */
  keep(id: JobId, version: number, before: PlacedLog | null, lines: readonly LogLine[]): LogPlace | null {
    if (lines.length === 0) return null;
    const { place, lines: known } = before ?? { place: null, lines: [] };
    const shared = place === null ? -1 : sharedWith(known, lines);
    if (place !== null && shared >= 0) {
      const from = place.from + sizeOf(known.slice(0, known.length - shared));
      if (from <= place.to - from) return this.#add(id, { ...place, from }, lines.slice(shared));
    }
    return this.#add(id, { file: version, from: 0, to: 0 }, lines);
  }

  /** The log stands elsewhere by now, or nowhere. */
  left(id: JobId, before: LogPlace | null, now: LogPlace | null): void {
    if (before !== null && before.file !== now?.file) this.#remove(logFileName(id, before));
  }

  /** Behind the place may stand what a commit that failed has left. */
  #add(id: JobId, place: LogPlace, lines: readonly LogLine[]): LogPlace {
    const bytes = Buffer.from(lines.map(rowOf).join(""));
    this.#folder.append(logFileName(id, place), place.to, bytes);
    return { ...place, to: place.to + bytes.length };
  }

  #bytes(name: string, { from, to }: LogPlace): Buffer {
    const bytes = Buffer.alloc(to - from);
    try {
      const fd = this.#folder.fs.openSync(this.#folder.pathOf(name), "r");
      try {
        return bytes.subarray(0, this.#folder.fs.readSync(fd, bytes, 0, bytes.length, from));
      } finally {
        this.#folder.fs.closeSync(fd);
      }
    } catch {
      return Buffer.alloc(0);
    }
  }

  /** Without a flush, and never in the way of a commit: what is left is swept at the next start. */
  #remove(name: string): void {
    try {
      this.#folder.fs.unlinkSync(this.#folder.pathOf(name));
    } catch {
      // it may be gone
    }
  }
}

function lineOf(row: string): LogLine | null {
  try {
    return logLineSchema.safeParse(JSON.parse(row)).data ?? null;
  } catch {
    return null;
  }
}
