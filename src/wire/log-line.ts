/** One line of the agent's log, `.jobs/{id}/log.jsonl`: one JSON object a line, `seq` counting up from 1. */
import { z } from "zod";
import { head } from "./text.ts";

export const MAX_LOG_TEXT = 4_000;
/** Lines the App keeps of one try. */
export const MAX_LOG_LINES = 2_000;

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
  for (const row of text.split("\n")) {
    if (row.trim() === "") continue;
    try {
      const parsed = logLineSchema.safeParse(JSON.parse(row));
      if (parsed.success) lines.push(parsed.data);
    } catch {
      // a torn last line is what a killed agent leaves
    }
  }
  return lines.slice(-MAX_LOG_LINES);
}
