/** How the inbox stands on the disk: lines of its journals, and the ids that a finished journal leaves behind. */
import { z } from "zod";
import type { PendingDelivery } from "../../engine/ports.ts";
import { type Folder, unreadable } from "./disk.ts";
import type { Format } from "./json-file.ts";

const delivery = z.object({ id: z.string(), at: z.number(), signal: z.object({ type: z.string() }) });

const line = z.union([z.strictObject({ delivery }), z.strictObject({ done: z.string() })]);

export type InboxLine = { readonly delivery: PendingDelivery } | { readonly done: string };

function assertLine(value: unknown): asserts value is InboxLine {
  line.parse(value);
}

export const lineOf = (entry: InboxLine): string => JSON.stringify(entry);

function entryOf(text: string): InboxLine {
  const value: unknown = JSON.parse(text);
  assertLine(value);
  return value;
}

/** When each delivery came, by its id. */
export type Seen = ReadonlyMap<string, number>;

const seenFile = z.object({ ids: z.array(z.tuple([z.string(), z.number()])) });

export const seenFormat: Format<Seen> = {
  parse: (text) => new Map(seenFile.parse(JSON.parse(text)).ids),
  write: (seen) => JSON.stringify({ ids: [...seen] }),
};

export interface ReadJournal {
  readonly entries: readonly InboxLine[];
  /** Bytes of the whole lines. A crash may leave a torn one behind them, which nobody was told is kept. */
  readonly size: number;
}

export function readJournal(folder: Folder, name: string): ReadJournal {
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
