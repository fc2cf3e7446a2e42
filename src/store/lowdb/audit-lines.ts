/** Reads the audit log's files: one JSON object per line, one file per day, from the end backwards. */
import * as z from "zod";
import type { AuditEntry } from "../../engine/ports/audit.ts";
import type { FileSystem } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";

const words = z.string().nullable();

const entry: z.ZodType<AuditEntry> = z.object({
  at: z.number(),
  account: words,
  login: words,
  key_id: words,
  address: words,
  request_id: words,
  action: z.string(),
  target: z.object({ type: z.enum(["job", "key", "subscription", "account", "trigger"]), id: z.string() }).nullable(),
  repository: words,
  outcome: z.string(),
});

export const lineOf = (one: AuditEntry): string => writeRecord("audit", one);

/** Null for a torn or edited line; the others still count. */
export function entryOf(line: string): AuditEntry | null {
  try {
    return entry.safeParse(readRecord("audit", line)).data ?? null;
  } catch {
    return null;
  }
}

export interface Line {
  readonly text: string;
  /** Its byte offset. */
  readonly at: number;
}

const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 10;

/** The lines of a file that end at or before `end`, last line first. */
export function* linesBefore(fileSystem: FileSystem, path: string, end: number): Generator<Line> {
  const fd = fileSystem.openSync(path, "r");
  try {
    let [position, rest] = [end, Buffer.alloc(0)];
    while (position > 0) {
      const block = Buffer.alloc(Math.min(BLOCK_BYTES, position));
      position -= block.length;
      fileSystem.readSync(fd, block, 0, block.length, position);
      const bytes = Buffer.concat([block, rest]);
      let stop = bytes.length;
      while (stop > 1) {
        const feed = bytes.lastIndexOf(LINE_FEED, stop - 2);
        if (feed < 0) break;
        yield { text: bytes.toString("utf8", feed + 1, stop), at: position + feed + 1 };
        stop = feed + 1;
      }
      rest = bytes.subarray(0, stop);
    }
    if (rest.length > 0) yield { text: rest.toString("utf8"), at: 0 };
  } finally {
    fileSystem.closeSync(fd);
  }
}

/** Bytes of a file up to the end of its last complete line. */
export function wholeBytes(fileSystem: FileSystem, path: string): number {
  const size = sizeOf(fileSystem, path);
  for (const { text, at } of linesBefore(fileSystem, path, size)) {
    if (text.endsWith("\n")) return at + Buffer.byteLength(text);
  }
  return 0;
}

export function sizeOf(fileSystem: FileSystem, path: string): number {
  const fd = fileSystem.openSync(path, "r");
  try {
    return fileSystem.fstatSync(fd).size;
  } finally {
    fileSystem.closeSync(fd);
  }
}
