/**
 * What a model's provider said no with, in words: its SDK tells the whole body of the answer, and an agent of before wrote
 * that down. Whoever reads a comment wants the one sentence in it.
 */
import { z } from "zod";
import { parseForeignJson } from "../text/json-bounds.ts";
import { head } from "../text/text.ts";

const BODY = /\{\s*"(?:type"\s*:\s*"error"|error"\s*:\s*\{)/;
/** A gateway wraps what it was told; deeper than this nobody does. */
const MAX_WRAPPED = 3;
const MAX_READ = 20_000;

const bodySchema = z.object({ error: z.object({ message: z.string() }) });

/** The text with an error's body replaced by the message in it; one that cannot be read is left out with what follows. */
export function providerWords(text: string): string {
  let words = head(text, MAX_READ);
  for (let depth = 0; depth <= MAX_WRAPPED; depth++) {
    const start = words.search(BODY);
    if (start < 0) return words;
    const end = words.lastIndexOf("}") + 1;
    const body = depth < MAX_WRAPPED ? bodySchema.safeParse(parseForeignJson(words.slice(start, end))) : null;
    if (!body?.success) return words.slice(0, start).trimEnd();
    words = words.slice(0, start) + body.data.error.message + words.slice(end);
  }
  return words;
}
