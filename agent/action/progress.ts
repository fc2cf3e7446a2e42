/**
 * Reads the agent's stdout: shows its lines and uploads them to the App while the agent works. A slow or missing App
 * never delays the agent.
 */
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { relay } from "./relay.ts";
import { AppLine } from "./report/app-line.ts";
import type { UploaderSettings } from "./report/app-settings.ts";
import { Outbox } from "./report/outbox.ts";
import { sendAll } from "./report/sending.ts";

/** From the end of the agent's output to the end of the upload. */
const LAST_WORDS_MS = 9_000;
/** The same after a cancel, when the run has seconds to end. */
const LAST_WORDS_CANCELLED_MS = 1_500;

export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  wait(ms, undefined, { signal }).catch(() => {});

export interface ProgressPorts {
  readonly input: Readable;
  readonly show: (row: string) => void;
  /** Where to upload, or a sentence that says why nowhere. */
  readonly app: UploaderSettings | string;
  readonly cancelled: AbortSignal;
}

/**
 * Resolves when the output has ended and the upload has finished or run out of time. Returns null, or why the App lacks
 * lines.
 */
export async function followAgent({ input, show, app, cancelled }: ProgressPorts): Promise<string | null> {
  const ended = new AbortController();
  const over = new AbortController();
  const outbox = new Outbox();
  const sent =
    typeof app === "string"
      ? Promise.resolve(app)
      : sendAll({ outbox, app: new AppLine(app, Date.now), ended: ended.signal, over: over.signal, pause });
  await relay(input, { print: show, keep: (line) => outbox.add(line) });
  ended.abort();
  const end = (): void => over.abort();
  const hurry = (): void => void setTimeout(end, LAST_WORDS_CANCELLED_MS).unref();
  if (cancelled.aborted) hurry();
  else cancelled.addEventListener("abort", hurry, { once: true });
  const limit = setTimeout(end, LAST_WORDS_MS);
  const why = await sent;
  clearTimeout(limit);
  return why;
}
