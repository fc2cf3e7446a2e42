/**
 * The log: pino, as JSON or readable on a terminal. Errors are logged without the request and response attached to
 * them.
 */
import { type DestinationStream, destination, type Logger, pino } from "pino";
import { redact } from "../contracts/redact.ts";
import type { LogSettings } from "./settings.ts";

/** Lines are written together: one call to the system for each would cost more than the line. Flushed at exit too. */
const BUFFERED_CHARACTERS = 16_384;
const FLUSH_MS = 100;

/** Octokit's and Probot's errors carry whole requests and payloads: type, message and stack are what is kept. */
function plainError(error: unknown): object {
  if (!(error instanceof Error)) return { message: redact(String(error)) };
  const plain = { type: error.name, message: redact(error.message), stack: redact(error.stack ?? "") };
  const inner = error instanceof AggregateError ? error.errors : error.cause === undefined ? [] : [error.cause];
  return inner.length === 0 ? plain : { ...plain, causes: inner.map(plainError) };
}

const NAME = "journeyman";

/** Probot gives each of its parts a name, which would stand in the line beside ours. */
const ownName = (name: unknown): string | undefined => (name === NAME ? NAME : undefined);

const WRONG_SIGNATURE =
  "a delivery is not signed with WEBHOOK_SECRET: compare it with the App's settings page, unless somebody else sent it";
const DELIVERY_ID = /^[\w-]{1,64}$/;

/** Anybody can send a delivery with a wrong signature, or none: a line, and nothing of the delivery but a harmless id. */
export const warnOfSignature = (log: Logger, id: string | undefined): void => {
  const delivery = id !== undefined && DELIVERY_ID.test(id) ? id : undefined;
  log.warn({ delivery, error_code: "invalid_signature" }, WRONG_SIGNATURE);
};

/** The log on this stream. */
export const logTo = (stream: DestinationStream, level: LogSettings["level"]): Logger =>
  pino(
    {
      ...{ name: NAME, level, serializers: { err: plainError, error: plainError, name: ownName } },
    },
    stream,
  );

/**
 * Lines are collected here, since sonic-boom measures all that it holds again with each line. At the exit its own flush
 * tries a pipe that nobody reads any more for ever; a plain write that fails is given up.
 */
function buffered(): DestinationStream {
  const stream = destination({ dest: 1, sync: false, minLength: 1 });
  const pass = stream.write.bind(stream);
  const wait = stream.flush.bind(stream);
  let lines = "";
  const passOn = (): void => {
    if (lines === "") return;
    const text = lines;
    lines = "";
    pass(text);
  };
  setInterval(passOn, FLUSH_MS).unref();
  return Object.assign(stream, {
    write(line: string): boolean {
      lines += line;
      if (lines.length >= BUFFERED_CHARACTERS) passOn();
      return true;
    },
    flush(done?: (error?: Error) => void): void {
      passOn();
      wait(done);
    },
    flushSync(): void {
      Object.assign(stream, { sync: true });
      passOn();
      wait();
    },
  });
}

export async function createLog(settings: LogSettings): Promise<Logger> {
  const pretty = settings.format === "pretty" || (settings.format === null && process.stdout.isTTY);
  const stream: DestinationStream = pretty
    ? (await import("pino-pretty")).default({ destination: 1, sync: true, ignore: "pid,hostname" })
    : buffered();
  return logTo(stream, settings.level);
}

/** A reader that takes nothing keeps no process from its end. */
const FLUSH_LIMIT_MS = 1_000;

/** Resolves when everything is written that was logged, or nobody takes it. */
export const flushed = (log: Logger): Promise<void> =>
  new Promise((resolve) => {
    const late = setTimeout(resolve, FLUSH_LIMIT_MS);
    log.flush(() => {
      clearTimeout(late);
      resolve();
    });
  });
