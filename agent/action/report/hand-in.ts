/**
 * Submits the result to the App and gets a token to push with. Result, log and file names come from the agent and are
 * treated as data.
 */
import pRetry, { AbortError } from "p-retry";
import { type LogLine, parseLog } from "../../../src/contracts/log-line.ts";
import { handedInSchema, pushTokenSchema } from "../../../src/contracts/run-report.ts";
import { Secret } from "../../../src/contracts/secret.ts";
import { head } from "../../../src/text/text.ts";
import type { AppClient } from "./app-client.ts";

/** Bytes of the log. The last lines are kept; the App already has earlier ones. */
const LOG_LIMIT = 6 * 1024 * 1024;
const FILES_LIMIT = 3_000;
const PATH_LIMIT = 4_096;
/** With pauses of 0.5, 1, 2 and 4 seconds, within the overall limit. */
const RETRIES = 4;
const FIRST_PAUSE_MS = 500;
export const HAND_IN_LIMIT_MS = 30_000;

export interface HandInPorts {
  readonly app: AppClient;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

export type HandedIn = { readonly ok: true; readonly token: Secret } | { readonly ok: false; readonly reason: string };

export interface HandInInput {
  /**
   * Parsed from `result.json`; null when that is not JSON, which the App reports differently from an incomplete result.
   */
  readonly result: unknown;
  /** `log.jsonl` as text. */
  readonly log: string;
  readonly changed: readonly string[];
}

export async function handIn({ result, log, changed }: HandInInput, ports: HandInPorts): Promise<HandedIn> {
  const body = handedInSchema.parse({
    result,
    log: lastOf(parseLog(log)),
    changed_files: changed.map((path) => head(path, PATH_LIMIT)).slice(0, FILES_LIMIT),
  });
  const over = AbortSignal.timeout(HAND_IN_LIMIT_MS);
  try {
    return { ok: true, token: await persist(body, ports, over) };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function lastOf(lines: readonly LogLine[]): readonly LogLine[] {
  let size = 0;
  const fits = lines.findLastIndex((line) => {
    size += Buffer.byteLength(JSON.stringify(line)) + 1;
    return size > LOG_LIMIT;
  });
  return lines.slice(fits + 1);
}

/** One word that a shell can hold. GitHub does not promise a shape or length of its tokens. */
const TOKEN_FORMAT = /^[\x21-\x7e]{1,4096}$/;

function persist(body: unknown, { app, pause }: HandInPorts, over: AbortSignal): Promise<Secret> {
  let requestedPauseMs: number | null = null;
  return pRetry(
    async () => {
      requestedPauseMs = null;
      const answer = await app.tell("result", body, over);
      if (answer.kind === "refused") throw new AbortError(answer.reason);
      if (answer.kind === "later") {
        requestedPauseMs = answer.afterMs;
        throw new Error(answer.reason);
      }
      const read = pushTokenSchema.safeParse(answer.body);
      if (!read.success || !TOKEN_FORMAT.test(read.data.token)) throw new AbortError("the App's answer holds no token");
      return new Secret(read.data.token);
    },
    {
      retries: RETRIES,
      minTimeout: FIRST_PAUSE_MS,
      shouldRetry: () => !over.aborted,
      onFailedAttempt: async () => {
        if (requestedPauseMs !== null) await pause(requestedPauseMs, over);
      },
    },
  );
}
