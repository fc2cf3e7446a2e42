/** One line of the agent's log, `.jobs/{id}/log.jsonl`: one JSON object a line, `seq` counting up from 1. */
import { z } from "zod";
import { parseForeignJson } from "../text/json-bounds.ts";
import { head } from "../text/text.ts";

export const MAX_LOG_TEXT = 4_000;
/** Lines the App keeps of one try. */
export const MAX_LOG_LINES = 2_000;

/** Rows that are no lines, after which the rest is not tried: each costs what a hundred readable ones do. */
const MOST_UNREADABLE = 500;

const level = z.enum(["info", "warn", "error"]);

export const logLineSchema = z.object({
  seq: z.number().int().positive(),
  /** ISO 8601, UTC. */
  at: z.string(),
  level: level.catch("info"),
  text: z.string().transform((text) => head(text, MAX_LOG_TEXT)),
});

/** The same from a sender that can be told what is wrong. */
export const strictLineSchema = logLineSchema.extend({ level });

export type LogLine = z.infer<typeof logLineSchema>;

/** The readable lines of a log file, oldest first, unreadable ones left out, at most the last {@link MAX_LOG_LINES}. */
export function parseLog(text: string): LogLine[] {
  const lines: LogLine[] = [];
  let unreadable = 0;
  // from the end, which is what is kept; a torn last line is what a killed agent leaves
  for (const row of text.split("\n").reverse()) {
    if (lines.length === MAX_LOG_LINES || unreadable > MOST_UNREADABLE) break;
    if (!row.startsWith("{")) continue;
    const parsed = logLineSchema.safeParse(parseForeignJson(row));
    if (parsed.success) lines.push(parsed.data);
    else unreadable += 1;
  }
  return lines.reverse();
}
