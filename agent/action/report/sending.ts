/**
 * Sends what is in the outbox, one request at a time and about one a second, until the input has ended and all of it has
 * arrived, the App wants no more, or the time is over. Trouble is waited out; nobody waits for this.
 */
import pRetry, { AbortError } from "p-retry";
import { linesReceivedSchema } from "../../../src/contracts/run-report.ts";
import type { AppLine } from "./app-line.ts";
import type { Outbox } from "./outbox.ts";

const PACE_MS = 1_000;
/** Lines come in groups: the first one waits so long for the others. */
const GATHER_MS = 100;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface Sending {
  readonly outbox: Outbox;
  readonly app: AppLine;
  /** Aborted when no line will come any more. */
  readonly ended: AbortSignal;
  /** Aborted some seconds later, with which all ends. */
  readonly over: AbortSignal;
  /** Waits, or less long when the signal says so. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** An answer that says "later": `pRetry` counts errors. */
class Later extends Error {
  readonly afterMs: number | null;

  constructor(reason: string, afterMs: number | null) {
    super(reason);
    this.afterMs = afterMs;
  }
}

/** Why not all lines arrived; null when they did. */
export async function sendAll(sending: Sending): Promise<string | null> {
  const { outbox, ended, over, pause } = sending;
  for (;;) {
    await outbox.filled(ended);
    if (outbox.isEmpty) return null;
    await pause(GATHER_MS, ended);
    const before = outbox.received;
    // What is waited for by ourselves is cut short by the end of the input, so that the last seconds are used.
    const phase = ended.aborted ? over : AbortSignal.any([ended, over]);
    try {
      await persist(sending, phase);
    } catch (error) {
      if (over.aborted) return `the time was over; the last trouble: ${wordsOf(error)}`;
      if (!phase.aborted) return wordsOf(error);
    }
    // At the end there is no more pace to keep, but for an App that does not get on.
    await pause(PACE_MS, outbox.received > before ? ended : over);
  }
}

function persist({ outbox, app, over, pause }: Sending, signal: AbortSignal): Promise<void> {
  return pRetry(
    async () => {
      const answer = await app.tell("log", { lines: outbox.batch() }, over);
      if (answer.kind === "refused") throw new AbortError(answer.reason);
      if (answer.kind === "later") throw new Later(answer.reason, answer.afterMs);
      const read = linesReceivedSchema.safeParse(answer.body);
      if (!read.success) throw new AbortError("its answer cannot be understood");
      outbox.acknowledge(read.data.received);
    },
    {
      signal,
      retries: Number.POSITIVE_INFINITY,
      minTimeout: FIRST_PAUSE_MS,
      maxTimeout: LONGEST_PAUSE_MS,
      randomize: true,
      // A pause that the App asked for is kept to the end, and stands in place of ours.
      onFailedAttempt: async ({ error }) => {
        if (error instanceof Later && error.afterMs !== null) await pause(Math.max(error.afterMs, PACE_MS), over);
      },
      shouldConsumeRetry: ({ error }) => !(error instanceof Later && error.afterMs !== null),
    },
  );
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
