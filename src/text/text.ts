/**
 * Cuts words, and nothing else does: never inside a character, always well formed, in a time that depends neither on the
 * length of the text nor on what stands in it. A half of a character is refused by GitHub and by the model's provider.
 */
const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Code units around a cut that are looked at. What is longer is no character that a person would know. */
const NEAR = 256;
const LONGEST_CHARACTER = 64;
const FLAG_LETTER = /[\u{1f1e6}-\u{1f1ff}]/u;

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Inside a pair of surrogates? Then it begins one unit earlier. */
const startOfPair = (text: string, at: number): number =>
  isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1)) ? at - 1 : at;

/** Where reading may begin: not amid flags, whose letters make pairs from the first one on. */
function readFrom(text: string, at: number): number {
  let from = startOfPair(text, Math.max(0, at - NEAR));
  const last = Math.max(0, from - NEAR * 16);
  while (from > last && FLAG_LETTER.test(String.fromCodePoint(text.codePointAt(from - 2) ?? 0))) from -= 2;
  return from;
}

/** The character that holds the unit at `at`, as its first unit and its end; 0 < at < length. */
function characterAt(text: string, at: number): { readonly start: number; readonly end: number } {
  const from = readFrom(text, at);
  const near = text.slice(from, startOfPair(text, Math.min(text.length, at + NEAR)));
  const found = GRAPHEMES.segment(near).containing(at - from);
  const start = from + (found?.index ?? at - from);
  const end = start + (found?.segment.length ?? 0);
  // What seems to begin where reading began may have begun before, and be of any length.
  if ((start === from && from > 0) || end - start > LONGEST_CHARACTER) {
    const pair = startOfPair(text, at);
    return { start: pair, end: pair === at ? at : at + 1 };
  }
  return { start, end: start === at ? at : end };
}

/** At most the first `max` code units. */
export function head(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  return max <= 0 ? "" : text.slice(0, characterAt(text, max).start).toWellFormed();
}

/** At most the last `max` code units. */
export function tail(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  return max <= 0 ? "" : text.slice(characterAt(text, text.length - max).end).toWellFormed();
}

/** At most `max` code units, with a sign where something is missing. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  return max <= 0 ? "" : `${head(text, max - 1).trimEnd()}…`;
}

/** At most the first `max` bytes of UTF-8. */
export function headBytes(text: string, max: number): string {
  if (max <= 0) return "";
  if (text.length * 3 <= max) return text.toWellFormed();
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(max));
  return head(text, read);
}
