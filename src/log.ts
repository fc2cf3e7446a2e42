/** The log: pino, JSON for machines, readable on a terminal. Errors are written without what hangs on them. */
import { type DestinationStream, destination, type Logger, pino } from "pino";
import type { LogSettings } from "./settings.ts";
import { redact } from "./wire/redact.ts";

/** Lines are written together: one call to the system for each would cost more than the line. Flushed at exit too. */
const BUFFERED_CHARACTERS = 4_096;
const FLUSH_MS = 100;

/** Octokit's and Probot's errors carry whole requests and payloads: type, message and stack are what is kept. */
function plainError(error: unknown): object {
  if (!(error instanceof Error)) return { message: redact(String(error)) };
  const plain = { type: error.name, message: redact(error.message), stack: redact(error.stack ?? "") };
  const inner = error instanceof AggregateError ? error.errors : error.cause === undefined ? [] : [error.cause];
  return inner.length === 0 ? plain : { ...plain, causes: inner.map(plainError) };
}

/** The log on this stream. */
export const logTo = (stream: DestinationStream, level: LogSettings["level"]): Logger =>
  pino({ name: "journeyman", level, serializers: { err: plainError, error: plainError } }, stream);

export async function createLog(settings: LogSettings): Promise<Logger> {
  const pretty = settings.format === "pretty" || (settings.format === null && process.stdout.isTTY);
  const stream: DestinationStream = pretty
    ? (await import("pino-pretty")).default({ destination: 1, sync: true, ignore: "pid,hostname" })
    : destination({ dest: 1, sync: false, minLength: BUFFERED_CHARACTERS, periodicFlush: FLUSH_MS });
  return logTo(stream, settings.level);
}
