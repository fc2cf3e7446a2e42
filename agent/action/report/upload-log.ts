/**
 * Uploads the outbox, one request at a time and about one per second, until all lines have arrived after the end of
 * input, the App refuses more, or time runs out. Retries after errors; nothing waits for it.
 */
import pRetry, { AbortError } from "p-retry";
import { linesReceivedSchema } from "../../../src/contracts/run-report.ts";
import type { AppClient } from "./app-client.ts";
import type { Outbox } from "./outbox.ts";

const PACE_MS = 1_000;
/** Lines come in groups: the first one waits this long for the others. */
const GATHER_MS = 100;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

export interface UploadPorts {
  readonly outbox: Outbox;
  readonly app: AppClient;
  /** Aborted when no more lines will come. */
  readonly ended: AbortSignal;
  /** Aborted some seconds later; ends the upload. */
  readonly over: AbortSignal;
  /** Waits; an aborted signal ends the wait early. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The answer "later" as an error, since `pRetry` counts errors. */
class Later extends Error {
  readonly afterMs: number | null;

  constructor(reason: string, afterMs: number | null) {
    super(reason);
    this.afterMs = afterMs;
  }
}

/** Returns null when all lines arrived, otherwise why not. */
export async function uploadLog(sending: UploadPorts): Promise<string | null> {
  const { outbox, ended, over, pause } = sending;
  for (;;) {
    await outbox.filled(ended);
    if (outbox.isEmpty) return null;
    await pause(GATHER_MS, ended);
    const before = outbox.received;
    // The end of input cuts our own pauses short, so that the last seconds are used.
    const phase = ended.aborted ? over : AbortSignal.any([ended, over]);
    try {
      await persist(sending, phase);
    } catch (error) {
      if (over.aborted) return `time ran out; the last error: ${messageOf(error)}`;
      if (!phase.aborted) return messageOf(error);
    }
    // After the end of input the pace no longer matters, unless the App makes no progress.
    await pause(PACE_MS, outbox.received > before ? ended : over);
  }
}

function persist({ outbox, app, over, pause }: UploadPorts, signal: AbortSignal): Promise<void> {
  return pRetry(
    async () => {
      const answer = await app.tell("log", { lines: outbox.batch() }, over);
      if (answer.kind === "refused") throw new AbortError(answer.reason);
      if (answer.kind === "later") throw new Later(answer.reason, answer.afterMs);
      const read = linesReceivedSchema.safeParse(answer.body);
      if (!read.success) throw new AbortError("its answer has an unknown format");
      outbox.acknowledge(read.data.received);
    },
    {
      signal,
      retries: Number.POSITIVE_INFINITY,
      minTimeout: FIRST_PAUSE_MS,
      maxTimeout: MAX_PAUSE_MS,
      randomize: true,
      // A pause that the App asks for replaces our own and is not cut short.
      onFailedAttempt: async ({ error }) => {
        if (error instanceof Later && error.afterMs !== null) await pause(Math.max(error.afterMs, PACE_MS), over);
      },
      shouldConsumeRetry: ({ error }) => !(error instanceof Later && error.afterMs !== null),
    },
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
