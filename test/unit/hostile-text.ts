/** Generators of foreign text that was written to deceive: all words that are not let through, in pieces, and what hides. */
import fc from "fast-check";

const HIDDEN = ["\u200b", "\u200d", "\u00ad", "\u2060", "\ufeff", "\u202e", "\ufe0f", "\u{e0041}", "\u0000", "\u0007"];
const BLANKS = [" ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u2028", "\u0085", "\n\n"];
const COMMENTS = [
  "<!--",
  "-->",
  "<!-- -->",
  "<!-- journeyman:job:abcd1234 -->",
  "<",
  "!",
  "--",
  "-",
  ">",
  "<-->",
  "<!",
];
const SKIPS = [
  "[",
  "]",
  "skip",
  "ci",
  "no",
  "actions",
  "[skip ci]",
  "[no ci]",
  "skip-checks",
  "skip-",
  "checks",
  ":",
  "true",
];
const TRAILERS = ["Co-authored", "-by", "Co-authored-by:", "Signed-off-by: a <a@b.c>", "on-behalf-of: @x"];
const MENTIONS = [
  "@",
  "@x",
  "_@x_",
  "/@x",
  "&#64;x",
  "&#x40;",
  "&commat;",
  "&#6",
  "4;",
  "https://a.b/@scope/pkg",
  "https://",
  "a@b.c",
];
const CLOSINGS = [
  "fixes",
  "fix",
  "closes",
  "Resolved",
  " #4",
  "#",
  "4",
  "GH-4",
  "octo/demo#5",
  "https://x/1",
  "&#35;",
  "&#52;",
];
const SECRETS = ["ghp_", "0123456789abcdef0123", "sk-ant-", "eyJ", "aaaaaaaaaa", ".", "-----BEGIN PRIVATE KEY-----"];
const MARKDOWN = [
  "`",
  "```",
  "~~~",
  "](",
  "![",
  "[a]: x ",
  '"t"',
  "(",
  ")",
  "'",
  '"',
  "<a",
  "<img alt=",
  "<b>",
  "*",
  "_",
  "> ",
  "- ",
];
const HALVES = ["\ud83d", "\ude00", "😀", "👨‍👩‍👧", "x", "é"];

export const PIECES = [
  ...[HIDDEN, BLANKS, COMMENTS, SKIPS, TRAILERS, MENTIONS, CLOSINGS, SECRETS, MARKDOWN, HALVES].flat(),
];

const piece = fc.constantFrom(...PIECES);

export const hostileText = fc.oneof(
  { weight: 4, arbitrary: fc.array(piece, { maxLength: 25 }).map((all) => all.join("")) },
  fc.string({ unit: "binary", maxLength: 60 }),
  // a word that is not let through, with one thing in the middle of it
  fc
    .tuple(
      fc.constantFrom(
        "[skip ci]",
        "skip-checks: true",
        "Co-authored-by: x",
        "<!--",
        "@ada",
        "fixes #4",
        "ghp_0123456789abcdef0123",
      ),
      piece,
      fc.nat(20),
    )
    .map(([word, inner, at]) => word.slice(0, at) + inner + word.slice(at)),
);
