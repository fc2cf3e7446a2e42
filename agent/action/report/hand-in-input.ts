/**
 * What an old copy of run-job.yml pipes into `courier hand-in`, NUL after each: `result.json`, `log.jsonl`, then the paths
 * of the changed files.
 */
import type { Leaving } from "./hand-in.ts";

/** Bytes. A log at its limit is half of it. */
const INPUT_LIMIT = 32 * 1024 * 1024;

/** Null when it is too much. */
export async function readHandIn(input: AsyncIterable<Buffer>): Promise<Leaving | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    // Read to its end all the same: whoever writes it must not fail for it.
    if (size <= INPUT_LIMIT) chunks.push(chunk);
  }
  if (size > INPUT_LIMIT) return null;
  const [result = "", log = "", ...files] = Buffer.concat(chunks).toString("utf8").split("\0");
  return { result: parsed(result), log, changed: files.filter((path) => path !== "") };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
