/** A line of the agent's log, `.jobs/{id}/log.jsonl`: one JSON object per line, with `seq` counting up from 1. */
import * as z from "zod";
import { parseForeignJson } from "../text/json-bounds.ts";
import { head } from "../text/text.ts";

export const MAX_LOG_TEXT = 4_000;
/** Lines that the App stores per attempt. */
export const MAX_LOG_LINES = 2_000;

/** Unparseable rows after which parsing stops: each costs as much time as a hundred readable ones. */
const MAX_UNREADABLE = 500;

const level = z.enum(["info", "warn", "error"]);

export const logLineSchema = z.object({
  seq: z.number().int().positive(),
  /** ISO 8601, UTC. */
  at: z.string(),
  level: level.catch("info"),
  text: z.string().transform((text) => head(text, MAX_LOG_TEXT)),
});

/** For senders that can be told about mistakes. */
export const strictLineSchema = logLineSchema.extend({ level });

export type LogLine = z.infer<typeof logLineSchema>;

/** The readable lines of a log file, oldest first: at most the last {@link MAX_LOG_LINES}. */
export function parseLog(text: string): LogLine[] {
  const lines: LogLine[] = [];
  let unreadable = 0;
  // Reads from the end, which is the part to keep. A killed agent leaves an incomplete last line.
  for (const row of text.split("\n").reverse()) {
    if (lines.length === MAX_LOG_LINES || unreadable > MAX_UNREADABLE) break;
    if (!row.startsWith("{")) continue;
    const parsed = logLineSchema.safeParse(parseForeignJson(row));
    if (parsed.success) lines.push(parsed.data);
    else unreadable += 1;
  }
  return lines.reverse();
}
