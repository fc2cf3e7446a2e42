import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cut, head, headBytes, tail } from "../../src/text/text.ts";

const FAMILY = "👨‍👩‍👧‍👦";
const CHARACTERS = ["a", " ", "\n", "é", "e\u0301", "漢", "😀", "👍🏽", FAMILY, "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "क्षि", "각", "\r\n"];

const segments = (text: string): string[] =>
  Array.from(new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text), ({ segment }) => segment);

/** The plain way, which reads the whole text. */
function headByReadingAll(text: string, max: number): string {
  let found = "";
  for (const one of segments(text)) {
    if (found.length + one.length > max) break;
    found += one;
  }
  return found;
}

function tailByReadingAll(text: string, max: number): string {
  let found = "";
  for (const one of segments(text).reverse()) {
    if (found.length + one.length > max) break;
    found = one + found;
  }
  return found;
}

const words = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 1_500 }).map((parts) => parts.join(""));

describe("a text", () => {
  test("is cut between characters, as short as asked and no shorter than need be", () => {
    fc.assert(
      fc.property(words, fc.nat(5_000), (text, max) => {
        expect(head(text, max)).toBe(headByReadingAll(text, max));
        expect(tail(text, max)).toBe(tailByReadingAll(text, max));
      }),
    );
  });

  test("whatever it is, comes out well formed and within the bound, and a second cut changes nothing", () => {
    const any = fc.string({ unit: "binary", maxLength: 400 });
    const halves = fc.string({
      unit: fc.constantFrom("\ud83d", "\ude00", "a", "\u200d", "\u0301", "\ud83c", "\udde9"),
    });
    fc.assert(
      fc.property(fc.oneof(any, halves, words), fc.nat(600), (text, max) => {
        for (const short of [head(text, max), tail(text, max), cut(text, max)]) {
          expect(short.isWellFormed()).toBe(true);
          expect(short.length).toBeLessThanOrEqual(max);
        }
        expect(cut(cut(text, max), max)).toBe(cut(text, max));
        const short = headBytes(text, max);
        expect(Buffer.byteLength(short)).toBeLessThanOrEqual(max);
        expect(text.toWellFormed().startsWith(short)).toBe(true);
      }),
    );
  });

  test.each([
    ["an emoji", "ab😀", 3, "ab…"],
    ["a family of emojis", `ab${FAMILY}`, 8, "ab…"],
    ["a flag", "🇩🇪🇫🇷🇮🇹", 7, "🇩🇪…"],
    ["an accent that is a mark of its own", "abe\u0301x", 4, "ab…"],
    ["blanks before the cut", "ab      cd", 6, "ab…"],
    ["nothing, where it is short", "ab😀", 4, "ab😀"],
    ["everything", "abc", 0, ""],
  ])("loses all of %s", (_, text, max, short) => {
    expect(cut(text, max)).toBe(short);
  });

  test("that is one endless character is cut inside of it, but in no pair of surrogates", () => {
    for (const text of [`a${"\u0301".repeat(5_000)}`, `${"👩‍".repeat(3_000)}👩`, `e${"\u{e0061}".repeat(3_000)}`]) {
      for (const max of [2_000, 2_001, 2_002]) {
        const short = head(text, max);
        expect(short.isWellFormed()).toBe(true);
        expect(short.length).toBeGreaterThanOrEqual(max - 1);
      }
    }
  });
});
