/** The scanner that looks for commands, held against a whole Markdown parser: what that calls no text is never found. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findCommand, firstWord } from "../../src/github/events/find-command.ts";
import { findCommand as findByMdast, firstWord as firstByMdast } from "./command-by-mdast.ts";

const PREFIXES = [
  "",
  " ",
  "  ",
  "   ",
  "    ",
  "     ",
  "\t",
  "> ",
  ">",
  "> > ",
  "- ",
  "-",
  "* ",
  "+   ",
  "1. ",
  "2) ",
  "10.  ",
  "- - ",
  "  - ",
  "> - ",
];
const BLOCKS = [
  "/job x",
  "/job",
  "/job: y",
  "a",
  "```",
  "````",
  "~~~",
  "```sh",
  "# h",
  "#",
  "---",
  "- - -",
  "***",
  "===",
  "--",
  "-",
  "",
];
const HTML = [
  "<!--",
  "-->",
  "<!-- a -->",
  "<div>",
  "</div>",
  "<blockquote>",
  "</blockquote>",
  "<pre>",
  "</pre>",
  "<code>",
  "</code>",
  "<b",
  ">",
  "<x-y>",
  '<b c="',
  '">',
  "<?",
  "?>",
  "<!A",
  "<![CDATA[",
  "]]>",
  "<http://a>",
  "<!-->",
  "<!--->",
  "<script>",
  "</script>",
];
const INLINE = [
  "`",
  "``",
  "```x```",
  "\\`",
  "\\",
  "a ` b",
  "[a]: x",
  "[a]:",
  "[a",
  "]: x",
  '"t',
  "*",
  "&amp;",
  "<a@b.c>",
];

const content = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...BLOCKS) },
  { weight: 2, arbitrary: fc.constantFrom(...HTML) },
  fc.constantFrom(...INLINE),
  fc.constant("/job x"),
);
const line = fc
  .tuple(
    fc.oneof({ weight: 2, arbitrary: fc.constant("") }, fc.constantFrom(...PREFIXES)),
    content,
    fc.option(content, { freq: 4 }),
  )
  .map(([prefix, first, second]) => prefix + first + (second === null ? "" : ` ${second}`));
const body = fc
  .array(fc.tuple(line, fc.constantFrom("\n", "\n", "\n\n", "\n \n")), { maxLength: 9 })
  .map((lines) => lines.map(([text, end]) => text + end).join(""));

/** Where the scanner may say no to what the parser calls text. */
const isAmbiguous = (text: string): boolean =>
  // what may go on with the line of a quote or a list is taken to do so
  /^ {0,3}(?:>|[-+*]|\d{1,9}[.)])/m.test(text) ||
  // a paragraph that may begin with a link's definition
  /^[ \t]*\[[\s\S]*?\]:/m.test(text);

describe("the scanner", () => {
  test("finds nothing that a Markdown parser calls no text, and everything else, ambiguous places aside", () => {
    fc.assert(
      fc.property(body, (text) => {
        for (const [scanned, parsed] of [
          [findCommand(text), findByMdast(text)],
          [firstWord(text), firstByMdast(text)],
        ] as const) {
          if (scanned !== parsed && !(isAmbiguous(text) && isLater(scanned, parsed)))
            expect([text, scanned]).toEqual([text, parsed]);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  /** Nothing, or a command further down, which the parser has passed over for one before it. */
  const isLater = (scanned: string | null, parsed: string | null): boolean =>
    scanned === null || (parsed?.endsWith(scanned) === true && parsed !== scanned);

  test("is almost never in doubt", () => {
    const bodies = fc.sample(body, { numRuns: 3_000, seed: 1 });
    const found = bodies.filter((text) => findByMdast(text) !== null);
    const missed = found.filter((text) => findCommand(text) === null);
    expect(found.length).toBeGreaterThan(500);
    expect(missed.length / found.length).toBeLessThan(0.08);
  });
});
