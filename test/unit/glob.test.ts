import fc from "fast-check";
import picomatch from "picomatch";
import { describe, expect, test } from "vitest";
import {
  expandGlob,
  GlobSet,
  globMistake,
  MAX_ALTERNATIVES,
  MAX_EXPANDED,
  MAX_GLOB_LENGTH,
} from "../../src/text/glob.ts";

const matches = (glob: string, path: string, below = false): boolean => new GlobSet([glob], { below }).matches(path);

describe("a glob", () => {
  test.each([
    ["**", "a/b/.c", true],
    ["*", "a", true],
    ["*", "a/b", false],
    ["*.md", ".md", true],
    ["docs/**", "docs/a/b.md", true],
    ["docs/**", "docsa", false],
    ["docs/**", "docs", false],
    ["*/**", "a", false],
    ["**/*.ts", "a.ts", true],
    ["**/test/**", "a/test/b/c", true],
    ["a/**/b", "a/b", true],
    ["a/**/b/**/c", "a/x/b/y/z/c", true],
    ["a**b", "a/b", false],
    ["a?c", "a😀c", true],
    ["a?c", "a/c", false],
    ["[a-c]x", "bx", true],
    ["[!a-c]x", "bx", false],
    ["[^a]/x", "//x", false],
    ["[a-]", "-", true],
    ["*.{ts,js}", "a.js", true],
    ["{a,b/{c,d}}/e", "b/d/e", true],
    ["a{,b}", "a", true],
    ["app/(auth)/*.tsx", "app/(auth)/page.tsx", true],
    ["legal/", "legal/terms.md", true],
    ["*-*-*-*-*.snap", `${"a-".repeat(3_000)}b.snap`, true],
  ])("%s on %s: %s", (glob, path, expected) => {
    expect(matches(glob, path)).toBe(expected);
  });

  test("bars a folder with all that is in it, where it is asked to", () => {
    expect(matches("legal", "legal/a/b", true)).toBe(true);
    expect(matches("legal", "legal", true)).toBe(true);
    expect(matches("legal", "illegal", true)).toBe(false);
    expect(matches("*.lock", "a.lock/b", true)).toBe(true);
  });

  test.each([
    ["", "1 to 500 characters"],
    ["x".repeat(MAX_GLOB_LENGTH + 1), "1 to 500 characters"],
    ["/etc", "without a slash"],
    ["!x", "may use"],
    [":(top)x", "may use"],
    ["a\\b", "may use"],
    ["+(a)", "may use"],
    ["a\nb", "may use"],
    ["[ab", "a [ that is not closed"],
    ["[]", "a [ that is not closed"],
    ["[[:alpha:]]", "between [ and ]"],
    ["[a/b]", "between [ and ]"],
    ["[b-a]", "ends before it begins"],
    ["{a}", "braces without a comma"],
    ["a}", "braces without a comma"],
    ["{a,b", "a { that is not closed"],
    ["{1..3}", "braces without a comma"],
    ["a//b", "an empty folder"],
    ["../a", "an empty folder"],
    ["{a,/b}", "without a slash"],
    ["{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}", `more than ${MAX_ALTERNATIVES}`],
    [`{a,b}{c,d}{e,f}${"g".repeat(MAX_EXPANDED / 8)}`, `more than ${MAX_EXPANDED} characters`],
    [`${"{a,".repeat(160)}`, "a { that is not closed"],
  ])("%j is refused in words", (glob, words) => {
    expect(globMistake(glob)).toContain(words);
    expect(() => new GlobSet([glob], { below: false })).toThrow(words);
  });

  test("without braces is what git takes", () => {
    expect(expandGlob("src/{a,b/{c,d}}.ts")).toEqual(["src/a.ts", "src/b/c.ts", "src/b/d.ts"]);
    expect(expandGlob("*.lock")).toEqual(["*.lock"]);
  });
});

describe("held against picomatch", () => {
  const letter = fc.constantFrom("a", "b", ".", "-");
  const word = fc.array(letter, { minLength: 1, maxLength: 4 }).map((all) => all.join(""));
  const name = word.filter((one) => one !== "." && one !== "..");
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((all) => all.join("/"));
  const piece = fc.oneof(
    { weight: 4, arbitrary: letter },
    fc.constantFrom("*", "?", "[ab]", "[a-b]", "{a,b}", "{a,b-}", "{aa,b}"),
  );
  const part = fc.oneof(
    fc.array(piece, { minLength: 1, maxLength: 4 }).map((all) => all.join("")),
    fc.constant("**"),
  );
  const glob = fc.array(part, { minLength: 1, maxLength: 4 }).map((all) => all.join("/"));

  /** What `**` beside other characters means there is not written down; and there, `a/**` fits a file `a`, as git's does not. */
  const isPlain = (text: string): boolean =>
    globMistake(text) === null && text.split("/").every((one) => one === "**" || !one.includes("**"));

  test("every glob of the alphabet says the same of every path", () => {
    fc.assert(
      fc.property(glob.filter(isPlain), path, (one, other) => {
        expect([one, other, matches(one, other)]).toEqual([
          one,
          other,
          picomatch.isMatch(other, one.endsWith("/**") ? `${one}/*` : one, { dot: true, nonegate: true }),
        ]);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("the time of a glob", () => {
  test("is bounded by the product of the lengths, for those that stopped the server and for any", () => {
    const hostile: [string, string][] = [
      [`${"*a".repeat(12)}*b`, "a".repeat(110)],
      [`${"*a".repeat(249)}*b`, "a".repeat(4_096)],
      ["*-*-*-*-*.snap", "-".repeat(4_000)],
      [`${"**/".repeat(160)}b`, "a/".repeat(2_000)],
      [`${"**/*a/".repeat(80)}b`, `${"a".repeat(20)}/`.repeat(200)],
      [`*${"[ab]".repeat(100)}c`, "ab".repeat(2_000)],
    ];
    const any = fc.tuple(
      fc.array(fc.constantFrom("*", "a", "?", "/", "**", "b", "[ab]"), { maxLength: 120 }).map((all) => all.join("")),
      fc.array(fc.constantFrom("a", "b", "/"), { maxLength: 2_000 }).map((all) => all.join("")),
    );
    const within = ([glob, path]: [string, string]): void => {
      if (globMistake(glob) !== null) return;
      const set = new GlobSet([glob], { below: true });
      set.matches(path);
      expect(set.steps).toBeLessThanOrEqual(2 * (glob.length + 4) * (path.length + 2));
    };
    for (const one of hostile) {
      expect(globMistake(one[0])).toBeNull();
      within(one);
    }
    fc.assert(fc.property(any, within));
  });
});
