import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redact } from "../../src/contracts/redact.ts";
import { sanitize } from "../../src/contracts/sanitize.ts";
import {
  code,
  commitLine,
  escapeMarkdown,
  escapeMarkdownBody,
  fenced,
  oneLine,
  quoted,
  titleLine,
} from "../../src/github/render/plain.ts";
import { NOT_BLANK } from "../../src/http/routing/limits.ts";
import { isBlank, normalise } from "../../src/text/normalise.ts";
import { hostileText } from "./hostile-text.ts";

/** As GitHub looks for them in a commit message; blanks of any kind count as one. */
const skips = (text: string): boolean =>
  /\[(skip ci|ci skip|no ci|skip actions|actions skip)\]/i.test(text.replace(/\s+/g, " "));
const TRAILER = /skip-checks\s*:|^\s*(?:co-authored-by|signed-off-by|on-behalf-of)\s*:/im;
/** Anything but a letter or digit in front, as in a page's text; addresses of the web are links and mention nobody. */
const mentions = (text: string): boolean =>
  /(?:^|[^\p{L}\p{N}])(?:@|&#0*64;|&#x0*40;|&commat;)[\p{L}\p{N}]/iu.test(
    text.replaceAll(/(?<=^|[\s(<*_~])https:\/\/a\.b\/(?:[\p{L}\p{N}.,:;/?#@!$&%+=-]|_(?=[\p{L}\p{N}]))*/gu, ""),
  );
const CLOSING =
  /\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing))(?:\s*:\s*|\s+)(?:(?:[\w.-]+\/[\w.-]+)?(?:#|&#0*35;)(?:\d|&#0*52;)|https?:|GH-\d)/i;

const COMMIT = { commitLine, titleLine, escapeMarkdownBody };
const SHOWN = { ...COMMIT, escapeMarkdown };

const all = (check: (text: string) => void): void => fc.assert(fc.property(hostileText, check), { numRuns: 400 });

describe("hostile text", () => {
  test.each(Object.entries(SHOWN))("through %s mentions nobody, hides nothing and closes nothing", (_, clean) => {
    all((text) => {
      const shown = clean(text);
      expect(shown).not.toContain("<!--");
      expect([shown, mentions(shown)]).toEqual([shown, false]);
      expect(shown).not.toMatch(CLOSING);
      expect(shown.isWellFormed()).toBe(true);
      expect(shown).not.toMatch(/\bghp_[A-Za-z0-9_.-]{16,}/);
    });
  });

  test.each(Object.entries(COMMIT))("through %s keeps no workflow from running and names no author", (_, clean) => {
    all((text) => {
      const shown = clean(text);
      expect([shown, skips(shown)]).toEqual([shown, false]);
      expect(shown).not.toMatch(TRAILER);
    });
  });

  test.each(Object.entries({ ...SHOWN, oneLine, redact, normalise, sanitize }))(
    "cleaned twice by %s is as if cleaned once",
    (_, clean) => {
      all((text) => {
        expect(clean(clean(text))).toBe(clean(text));
      });
    },
  );

  test("stays inside of its fence, its code and its quotation, and carries no marker there", () => {
    all((text) => {
      const lines = fenced(text).split("\n");
      const fence = lines.at(-1) ?? "";
      expect(fence).toMatch(/^`{3,}$/);
      expect(lines.slice(1, -1).filter((line) => line.trim().startsWith(fence))).toEqual([]);
      for (const line of quoted(text).split("\n")) expect(line.startsWith(">")).toBe(true);
      const span = code(text);
      const ticks = /^`+/.exec(span)?.[0].length ?? 0;
      expect(span.slice(ticks, -ticks).match(/`+/g) ?? []).not.toContain("`".repeat(ticks));
      expect(fenced(text) + span + quoted(text)).not.toContain("<!--");
    });
  });

  test.each([
    ["two blanks", "[skip  ci] x", "x"],
    ["a comment", "[skip<!-- --> ci] x", "x"],
    ["a zero-width space", "[skip\u200b ci] x", "x"],
    ["a soft hyphen", "[sk\u00adip ci] x", "x"],
    ["a no-break space", "[skip\u00a0ci] x", "x"],
    ["another one", "[skip [skip ci]ci] x", "(skip ci) x"],
    ["a line's end", "[skip\nci] x", "x"],
    ["a trailer between", "[skip\nskip-checks: true\nci] x", "(skip ci) x"],
    ["a comment in a trailer", "x\n\nskip-<!-- -->checks: true", "x"],
    ["a comment in a name", "x\n\nCo-authored<!-- -->-by: m <m@x.y>", "x"],
  ])("a skip word with %s in it does not come back", (_, text, title) => {
    expect(commitLine(text)).toBe(title);
  });

  test.each([
    ["a comment that is put together", "<-->!-- x", "<-->!-- x"],
    ["a marker that is put together", "<!<!-- -->-- journeyman:job:abcd1234 -->", "<! -- journeyman:job:abcd1234 -->"],
    ["a token with a hidden character in it", "ghp_0123456789\u200babcdef0123456789", "[secret]"],
    ["a token with a comment in it", "ghp_0123456789<!-- -->abcdef0123456789", "[secret]"],
    ["a mention in emphasis", "_@x_", "_@\u200bx_"],
    ["a mention behind a slash", "see /@x", "see /@\u200bx"],
    ["a mention in entities", "&#64;x &#x40;y &commat;z", "@\u200bx @\u200by @\u200bz"],
    ["a mention in an address that is none", "https://@x", "https://@\u200bx"],
    ["a mention behind a link", "[a](https://a.b/c)@x", "[a](https://a.b/c)@\u200bx"],
    ["a reference in entities", "fixes &#35;4, fixes #&#52;", "fixes & #35;4, fixes #& #52;"],
    [
      "an address of a package",
      "https://www.npmjs.com/package/@scope/pkg_x/v/1.0",
      "https://www.npmjs.com/package/@scope/pkg_x/v/1.0",
    ],
    ["an address of mail", "a.b@example.org", "a.b@example.org"],
    ["a family", "👨‍👩‍👧 ❤️ 👍🏽", "👨‍👩‍👧 ❤️ 👍🏽"],
  ])("%s is shown as what it is", (_, text, shown) => {
    expect(escapeMarkdown(text)).toBe(shown);
  });
});

test("the description of the API calls blank what the server refuses as empty", () => {
  const seen = new RegExp(NOT_BLANK);
  const characters = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));
  expect(characters.filter((one) => seen.test(one) === isBlank(one))).toEqual([]);
});
