/** Removes the keys from the provider's answers: some error messages quote them, and the caller must not see them. */
import { blanker } from "../../src/contracts/redact.ts";

/** A longer line is passed on in parts. */
const MAX_LINE = 64 * 1024;

export interface KeyRedactor {
  text(text: string): string;
  /** For a stream with arbitrary chunks: passes each line on when it is complete. */
  chunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

export function createKeyRedactor(keys: readonly string[]): KeyRedactor {
  const quoted = keys.map((key) => JSON.stringify(key).slice(1, -1));
  const blank = blanker([...keys, ...quoted]);
  // The URL-encoded spelling is the longest.
  const longest = 3 * Math.max(0, ...quoted.map((key) => key.length));

  async function* chunks(all: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let rest = "";
    for await (const chunk of all) {
      // One character per byte, so that nothing else changes.
      const text = rest + Buffer.from(chunk).toString("latin1");
      let end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      let clean = blank(text.slice(0, end));
      if (rest.length > MAX_LINE) {
        rest = blank(rest);
        end = rest.length - longest;
        clean += rest.slice(0, end);
        rest = rest.slice(end);
      }
      if (clean !== "") yield Buffer.from(clean, "latin1");
    }
    if (rest !== "") yield Buffer.from(blank(rest), "latin1");
  }

  return { text: blank, chunks };
}
