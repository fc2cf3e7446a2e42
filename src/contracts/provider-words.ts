/**
 * Extracts the message from a provider's error. The SDK, and so older agents, report the whole body of the answer; a
 * comment should show one sentence.
 */
import * as z from "zod";
import { parseForeignJson } from "../text/json-bounds.ts";
import { head } from "../text/text.ts";

const BODY = /\{\s*"(?:type"\s*:\s*"error"|error"\s*:\s*\{)/;
/** Gateways wrap errors of other gateways; deeper nesting does not occur. */
const MAX_WRAPPED = 3;
const MAX_READ = 20_000;

const bodySchema = z.object({ error: z.object({ message: z.string() }) });

/**
 * Replaces an error body in the text by its message. An unreadable body is removed together with everything after it.
 */
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
