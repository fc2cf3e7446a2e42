/**
 * Reads the agent's stdout: shows its lines and uploads them to the App while the agent works. A slow or missing App
 * never delays the agent.
 */
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { readAgentOutput } from "./agent-output.ts";
import { AppClient } from "./report/app-client.ts";
import type { UploaderSettings } from "./report/app-settings.ts";
import { Outbox } from "./report/outbox.ts";
import { uploadLog } from "./report/upload-log.ts";

/** From the end of the agent's output to the end of the upload. */
const FLUSH_MS = 9_000;
/** The same after a cancel, when the run has seconds to end. */
const FLUSH_CANCELLED_MS = 1_500;

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
      : uploadLog({ outbox, app: new AppClient(app, Date.now), ended: ended.signal, over: over.signal, pause });
  await readAgentOutput(input, { print: show, keep: (line) => outbox.add(line) });
  ended.abort();
  const end = (): void => over.abort();
  const endSoon = (): void => void setTimeout(end, FLUSH_CANCELLED_MS).unref();
  if (cancelled.aborted) endSoon();
  else cancelled.addEventListener("abort", endSoon, { once: true });
  const limit = setTimeout(end, FLUSH_MS);
  const why = await sent;
  clearTimeout(limit);
  return why;
}
