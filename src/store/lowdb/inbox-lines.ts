/** Lines of the inbox's journals, and the ids that a finished journal leaves behind. */
import * as z from "zod";
import type { GitHubEvent } from "../../domain/job/github-event.ts";
import type { PendingDelivery } from "../../engine/ports/inbox.ts";
import { readRecord, writeRecord } from "./formats.ts";
import type { Format } from "./json-file.ts";

/** The event is stored as `signal`, its name in the first version. */
const storedLine = z.union([
  z.strictObject({
    delivery: z.object({ id: z.string(), at: z.number(), signal: z.looseObject({ type: z.string() }) }),
  }),
  z.strictObject({ done: z.string() }),
]);

export type InboxLine = { readonly delivery: PendingDelivery } | { readonly done: string };

/** Only what this program wrote gets here; of the event, no more than its type is checked. */
function assertEvent(value: { readonly type: string }): asserts value is GitHubEvent {
  if (value.type === "") throw new Error("A stored event has no type.");
}

export function lineOf(entry: InboxLine): string {
  if ("done" in entry) return writeRecord("delivery", entry);
  const { id, event: signal, at } = entry.delivery;
  return writeRecord("delivery", { delivery: { id, signal, at } });
}

export function entryOf(text: string): InboxLine {
  const stored = storedLine.parse(readRecord("delivery", text));
  if ("done" in stored) return stored;
  const { id, signal: event, at } = stored.delivery;
  assertEvent(event);
  return { delivery: { id, event, at } };
}

/** Time of receipt by delivery id. */
export type Seen = ReadonlyMap<string, number>;

const seenFile = z.object({ ids: z.array(z.tuple([z.string(), z.number()])) });

export const seenFormat: Format<Seen> = {
  parse: (text) => new Map(seenFile.parse(readRecord("seen deliveries", text)).ids),
  write: (seen) => writeRecord("seen deliveries", { ids: [...seen] }),
};
