/** Lines of the inbox's journals, and the ids that a finished journal leaves behind. */
import * as z from "zod";
import type { PendingDelivery } from "../../engine/ports/inbox.ts";
import { readRecord, writeRecord } from "./formats.ts";
import type { Format } from "./json-file.ts";

const delivery = z.object({ id: z.string(), at: z.number(), signal: z.object({ type: z.string() }) });

const line = z.union([z.strictObject({ delivery }), z.strictObject({ done: z.string() })]);

export type InboxLine = { readonly delivery: PendingDelivery } | { readonly done: string };

function assertLine(value: unknown): asserts value is InboxLine {
  line.parse(value);
}

export const lineOf = (entry: InboxLine): string => writeRecord("delivery", entry);

export function entryOf(text: string): InboxLine {
  const value = readRecord("delivery", text);
  assertLine(value);
  return value;
}

/** Arrival time by delivery id. */
export type Seen = ReadonlyMap<string, number>;

const seenFile = z.object({ ids: z.array(z.tuple([z.string(), z.number()])) });

export const seenFormat: Format<Seen> = {
  parse: (text) => new Map(seenFile.parse(readRecord("seen deliveries", text)).ids),
  write: (seen) => writeRecord("seen deliveries", { ids: [...seen] }),
};
