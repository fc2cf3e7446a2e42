/**
 * Cuts text, and no other file does: never inside a character, always well formed, in time independent of the text.
 * GitHub and the model's provider reject half a character.
 */
/** Made when the first text is cut: it takes a third of the time in which Node starts, and most programs cut none. */
let graphemes: Intl.Segmenter | undefined;

/** Code units to look at around a cut; no real character is longer. */
const NEAR = 256;
const MAX_CHARACTER = 64;
const FLAG_LETTER = /[\u{1f1e6}-\u{1f1ff}]/u;

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Moves a position inside a surrogate pair to its start. */
const startOfPair = (text: string, at: number): number =>
  isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1)) ? at - 1 : at;

/** Where to begin reading: at the first of a row of flags, whose letters pair up from there. */
function readFrom(text: string, at: number): number {
  let from = startOfPair(text, Math.max(0, at - NEAR));
  const last = Math.max(0, from - NEAR * 16);
  while (from > last && FLAG_LETTER.test(String.fromCodePoint(text.codePointAt(from - 2) ?? 0))) from -= 2;
  return from;
}

/** Start and end of the character at `at`; 0 < at < length. */
function characterAt(text: string, at: number): { readonly start: number; readonly end: number } {
  const from = readFrom(text, at);
  const near = text.slice(from, startOfPair(text, Math.min(text.length, at + NEAR)));
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  const found = graphemes.segment(near).containing(at - from);
  const start = from + (found?.index ?? at - from);
  const end = start + (found?.segment.length ?? 0);
  // A character at the start of the window may have begun earlier, with any length.
  if ((start === from && from > 0) || end - start > MAX_CHARACTER) {
    const pair = startOfPair(text, at);
    return { start: pair, end: pair === at ? at : at + 1 };
  }
  return { start, end: start === at ? at : end };
}

/** The first `max` code units at most. */
export function head(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  return max <= 0 ? "" : text.slice(0, characterAt(text, max).start).toWellFormed();
}

/** The last `max` code units at most. */
export function tail(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  return max <= 0 ? "" : text.slice(characterAt(text, text.length - max).end).toWellFormed();
}

/** At most `max` code units, with a mark when something was cut. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  return max <= 0 ? "" : `${head(text, max - 1).trimEnd()}…`;
}

/** The first `max` bytes of UTF-8 at most. */
export function headBytes(text: string, max: number): string {
  if (max <= 0) return "";
  if (text.length * 3 <= max) return text.toWellFormed();
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(max));
  return head(text, read);
}
