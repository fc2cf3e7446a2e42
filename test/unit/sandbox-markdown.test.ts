/** Strangers' Markdown on the sandbox's site becomes only plain tags and safe links. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { markdown } from "../sandbox/github/pages/markdown.ts";

const shown = (text: string): string => markdown(text, "/octo/demo").text;

it("is rendered as on GitHub, with tables, line breaks, plain HTML and links to issues", () => {
  const text = shown("**Merged** · as asked\nin #12\n\n| a |\n|---|\n| `b` |\n\n<sub>Job `x`</sub>\n<!-- hidden -->");
  for (const part of [
    "<strong>Merged</strong>",
    "<br>",
    '<a href="/octo/demo/issues/12">#12</a>',
    "<td><code>b</code></td>",
  ])
    expect(text).toContain(part);
  expect(text).toContain("<sub>Job <code>x</code></sub>");
  expect(text).not.toContain("hidden");
  expect(shown("abc#1 #1a ##2 [x](https://example.com)")).not.toContain("issues/1");
});

it("makes no link of an empty address", () => {
  expect(shown("[*a*]() [b]( ) [c]")).toBe(shown("*a* b [c]"));
});

/** Everything that may stand in a page. */
const TAG =
  /^<(?:\/?(?:p|h[1-6]|ul|ol|li|strong|em|s|blockquote|pre|code|table|thead|tbody|tr|th|td|sub|sup|kbd|b|i|details|summary|br|hr|a)|\/div|div class="markdown"|ol start="\d+"|t[hd] style="text-align:(?:left|right|center)"|code class="language-[^"<>]*"|a href="(?:https?:\/\/|\/(?!\/)|#)[^"<>]*"(?: title="[^"<>]*")?)>$/;

const PIECES = [
  ...[
    "<script>",
    "</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:x'>",
    "<details open ontoggle=x>",
    "<b>",
    "</div>",
    "<sub/>",
  ],
  ...[
    "[x](javascript:alert(1))",
    "[x](data:text/html,y)",
    "![x](http://e.example/)",
    "[x]: vbscript:y",
    "[x]",
    "<javascript:x>",
    "[y](//e.example)",
    "[x]()",
    "[x](<>)",
  ],
  ...[
    '<http://e.example/">',
    "http://e.example/'><svg onload=x>",
    "`",
    "```",
    "\n",
    "\n\n",
    " ",
    "<!--",
    "-->",
    "<",
    ">",
    '"',
    "'",
    "&lt;script&gt;",
    "&#106;avascript:",
  ],
  ...[
    "|",
    "|-|\n",
    "- ",
    "> ",
    "# ",
    "#1",
    "**",
    "_",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "java\tscript:",
    "<style>",
    "<svg/onload=x>",
    "<form action=/-/act-as>",
    "​",
  ],
];

it("holds no tag, attribute or address but those, whatever was written", () => {
  const hostile = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6 })), { maxLength: 14 });
  fc.assert(
    fc.property(hostile, (pieces) => {
      const text = shown(pieces.join(""));
      for (const tag of text.match(/<[^>]*>?/g) ?? []) expect(tag).toMatch(TAG);
    }),
    { numRuns: 2_000 },
  );
});
