/**
 * Hands the result to the App and gets a token to push with. Its input is what the pushing step knows, NUL after each:
 * `result.json`, `log.jsonl`, then the paths of the changed files. All of it was the agent's, so it is data and no more.
 */
import pRetry, { AbortError } from "p-retry";
import { type LogLine, parseLog } from "../../src/wire/log-line.ts";
import { handedInSchema, pushTokenSchema } from "../../src/wire/run-report.ts";
import { Secret } from "../../src/wire/secret.ts";
import type { AppLine } from "./app-line.ts";

/** Bytes. A log at its limit is half of it. */
const INPUT_LIMIT = 32 * 1024 * 1024;
/** Bytes of the log that is handed in: a server reads no body of any size. Its last lines count; the App has others already. */
const LOG_LIMIT = 6 * 1024 * 1024;
const FILES_LIMIT = 3_000;
const PATH_LIMIT = 4_096;
/** With pauses of 0.5, 1, 2 and 4 seconds, and never longer than the whole. */
const RETRIES = 4;
const FIRST_PAUSE_MS = 500;
export const HAND_IN_LIMIT_MS = 30_000;

export interface HandInPorts {
  readonly app: AppLine;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

export type HandedIn = { readonly ok: true; readonly token: Secret } | { readonly ok: false; readonly reason: string };

export async function handIn(input: AsyncIterable<Buffer>, ports: HandInPorts): Promise<HandedIn> {
  const text = await whole(input);
  if (text === null) return { ok: false, reason: "result and log are too large to be handed in" };
  const body = bodyOf(text);
  const over = AbortSignal.timeout(HAND_IN_LIMIT_MS);
  try {
    return { ok: true, token: await persist(body, ports, over) };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function whole(input: AsyncIterable<Buffer>): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    // Read to its end all the same: whoever writes it must not fail for it.
    if (size <= INPUT_LIMIT) chunks.push(chunk);
  }
  return size > INPUT_LIMIT ? null : Buffer.concat(chunks).toString("utf8");
}

function bodyOf(text: string): unknown {
  const [result = "", log = "", ...files] = text.split("\0");
  const changed = files.filter((path) => path !== "").map((path) => path.slice(0, PATH_LIMIT));
  return handedInSchema.parse({
    result: parsed(result),
    log: lastOf(parseLog(log)),
    changed_files: changed.slice(0, FILES_LIMIT),
  });
}

function lastOf(lines: readonly LogLine[]): readonly LogLine[] {
  let size = 0;
  const fits = lines.findLastIndex((line) => {
    size += Buffer.byteLength(JSON.stringify(line)) + 1;
    return size > LOG_LIMIT;
  });
  return lines.slice(fits + 1);
}

/** Null for what is no JSON: the App reads a result leniently, and tells that apart. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** One word that a shell can hold: a token's shape and length are GitHub's affair. */
const ONE_WORD = /^[\x21-\x7e]{1,4096}$/;

function persist(body: unknown, { app, pause }: HandInPorts, over: AbortSignal): Promise<Secret> {
  let told: number | null = null;
  return pRetry(
    async () => {
      told = null;
      const answer = await app.tell("result", body, over);
      if (answer.kind === "refused") throw new AbortError(answer.reason);
      if (answer.kind === "later") {
        told = answer.afterMs;
        throw new Error(answer.reason);
      }
      const read = pushTokenSchema.safeParse(answer.body);
      if (!read.success || !ONE_WORD.test(read.data.token)) throw new AbortError("the App's answer holds no token");
      return new Secret(read.data.token);
    },
    {
      retries: RETRIES,
      minTimeout: FIRST_PAUSE_MS,
      shouldRetry: () => !over.aborted,
      onFailedAttempt: async () => {
        if (told !== null) await pause(told, over);
      },
    },
  );
}
