/**
 * Reads what an old copy of run-job.yml pipes into `courier hand-in`: `result.json`, `log.jsonl`, then the paths of the
 * changed files, each terminated by NUL.
 */
import type { HandInInput } from "./hand-in.ts";

/** Bytes. Twice the size of a full log. */
const INPUT_LIMIT = 32 * 1024 * 1024;

/** Null when the input is too large. */
export async function readHandIn(input: AsyncIterable<Buffer>): Promise<HandInInput | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    // Reads to the end even so: the writer must not fail.
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
