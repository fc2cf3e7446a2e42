/**
 * The time of every parser of foreign bytes grows with the length of what it reads, and no faster. It is held against one
 * plain pass over the same text in the same process, each the best of several, so that neither the machine nor its load
 * counts: what takes the square of the length is ten times beyond the bound, what is linear a tenth of it.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FOREIGN_PARSERS, type ForeignParser } from "./foreign-parsers.ts";
import { PIECES } from "./hostile-text.ts";

/** Plain passes that a parser may take. */
const MOST_PASSES = 1_500;
const REPEATS = 3;

let checksum = 0;
function pass(text: string): void {
  for (let at = 0; at < text.length; at += 1) checksum = (checksum * 31 + text.charCodeAt(at)) | 0;
}

function best(work: () => unknown, enough = 0): number {
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < REPEATS && least > enough; at += 1) {
    const from = performance.now();
    work();
    least = Math.min(least, performance.now() - from);
  }
  return least;
}

/** What one plain pass takes, by the length of the text. */
const plainMs = new Map<number, number>();

function measurePlain(text: string): number {
  const ms = Math.max(
    best(() => pass(text)),
    0.01,
  );
  plainMs.set(text.length, ms);
  return ms;
}

/** Parser against plain passes; both are measured again where other work may have come between. */
function passesOf({ run }: ForeignParser, text: string): number {
  const against = (plain: number): number => best(() => run(text), plain * MOST_PASSES * 0.5) / plain;
  const passes = against(plainMs.get(text.length) ?? measurePlain(text));
  return passes > MOST_PASSES ? against(measurePlain(text)) : passes;
}

/** Known worst ones first; each piece is repeated to the size, with a beginning and an end. */
const REPEATED: readonly (readonly [begin: string, piece: string, end: string])[] = [
  ["/job x\n", "=\n", ""],
  ["", "=\n", "/job x"],
  ["fixes", " ", "x"],
  ["fixes:", "\n", "x"],
  ["", "fixes ", ""],
  ["", "\n", "x"],
  ["<", "\n", ""],
  ["", "](<", ""],
  ["", "](", ""],
  ["", "[a](x (", ")     "],
  ["", '[a](b "', ""],
  ["", "[a]: x (\n", ""],
  ["", "-eyJaaaaaaaa", ""],
  ["", "eyJaaaaaaaa.", ""],
  ["", "-ghp_", ""],
  ["", "-----BEGIN PRIVATE KEY-----", ""],
  ["", "-----BEGIN AAA ", ""],
  ["s", "\n", "3cret"],
  ["", "s\n\n\n", ""],
  ["", "x", ""],
  ["", "<!--", ""],
  ["", "<!-", ""],
  ["", "<!<!-- -->-- ", ""],
  ["", "<a ", ""],
  ["", '<a b="', ""],
  ["", "<a \"'", ""],
  ["", "<a \"'\" '\"' ", ""],
  ["<a ", "title=", ">"],
  ["<a ", " alt", ">"],
  ["", "![", ""],
  ["![", "[a]", ""],
  ["![ ", "![x] ", ""],
  ["", "&#38;", ""],
  ["", "&#", ""],
  ["", "[skip ", ""],
  ["[", " ", "skip ci]"],
  ["", "skip-checks", ""],
  ["skip-checks", " ", "x"],
  ["", "co-authored-by\n", ""],
  ["", "https://a.b/", "@x"],
  ["", " https://a.b.", ""],
  ["", "@x", ""],
  ["", "`", ""],
  ["", "` `` ", ""],
  ["", "```\n", ""],
  ["", "~", ""],
  ["", "> ", "/job x"],
  ["", "> - ", "/job x"],
  ["", "/job\n", ""],
  ["`", "/job\n", ""],
  ["/job ", "a", ""],
  ["/job --", "a", ""],
  ["/job --model", " ", ""],
  ["/job", " ", "--x"],
  ["/job ", "?", "x"],
  ["/job help", ".", "x"],
  ["/job x", " ", "--draft y"],
  ["", "[a]:\n", "/job"],
  ["", "<x y\n", "/job"],
  ["", "- ", ""],
  ["", "? ", ""],
  ["", "[", ""],
  ["", "{a: ", ""],
  ["", "[]", ""],
  ["", '{"a":', ""],
  ["", '"', ""],
  ["", '{"seq":1}\n', ""],
  ["", "{a,", ""],
  ["", "*a", "b"],
  ["", "a-.", ""],
  ["", "\u{1f1e9}", ""],
  ["a", "\u0301", ""],
  ["", "👩‍", ""],
  ["", "\ud83d", ""],
  ["", "\u200b", ""],
  ["", "\ufe0f\u200d", ""],
  ["", "\u00a0", "x"],
];

const filled = (size: number, [begin, piece, end]: readonly [string, string, string]): string =>
  begin + piece.repeat(Math.max(0, Math.floor((size - begin.length - end.length) / piece.length))) + end;

/** Where linear and square are far apart, however fast the machine. */
const SIZE = 48 * 1024;

describe("the time of", () => {
  test.each(FOREIGN_PARSERS.map((parser) => [parser.name, parser] as const))(
    "%s is linear in the length",
    (_, parser) => {
      const size = Math.min(SIZE, parser.size);
      const slow = REPEATED.flatMap((pieces) => {
        const passes = passesOf(parser, filled(size, pieces));
        return passes > MOST_PASSES ? [`${JSON.stringify(pieces)}: ${Math.round(passes)} passes`] : [];
      });
      expect(slow).toEqual([]);
    },
  );

  test.each(FOREIGN_PARSERS.map((parser) => [parser.name, parser] as const))(
    "%s is so for any pieces, repeated",
    (_, parser) => {
      const size = Math.min(SIZE, parser.size);
      const some = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 }).map((all) => all.join(""));
      fc.assert(
        fc.property(some, some, some, (begin, piece, end) => {
          expect(passesOf(parser, filled(size, [begin, piece, end]))).toBeLessThan(MOST_PASSES);
        }),
        { numRuns: 12 },
      );
    },
  );

  test("what takes the square of the length would be found", () => {
    const square = (text: string): void => {
      for (let at = 0; at < text.length; at += 1) pass(text.slice(at));
    };
    const run = (text: string): unknown => /(?:a+)+b/.test(text.slice(0, 16)) || square(text);
    const parser: ForeignParser = { name: "", from: "", size: SIZE, depth: "", time: "", run };
    expect(passesOf(parser, "a".repeat(SIZE / 8))).toBeGreaterThan(MOST_PASSES);
    expect(checksum).not.toBe(1);
  });
});
