import { describe, expect, test } from "vitest";
import { linesBefore, suggestionsIn } from "../../src/text/suggestions.ts";

describe("suggestions in a comment", () => {
  test.each<[string, string, string[]]>([
    ["one", "Better:\n```suggestion\na = 1\n```\nThanks.", ["a = 1"]],
    ["several lines", "```suggestion\n  a\n\n  b\n```", ["  a\n\n  b"]],
    ["none: the lines are to go", "```suggestion\n```", [""]],
    ["two", "```suggestion\na\n```\nor\n```suggestion\nb\n```", ["a", "b"]],
    ["a longer fence around a shorter one", "````suggestion\n```js\na\n```\n````", ["```js\na\n```"]],
    ["tildes, indented", "  ~~~suggestion\na\n~~~", ["a"]],
    ["a block that nothing closes", "```suggestion\na\nb", ["a\nb"]],
    ["another language", "```js\na\n```", []],
    ["one inside of another block", "````md\n```suggestion\na\n```\n````", []],
    ["a fence that is no fence", "    ```suggestion\na\n```", []],
    ["what an HTML comment hides", "<!--\n```suggestion\nevil\n```\n-->\n```suggestion\ngood\n```", ["good"]],
    ["an HTML comment in what is suggested", "```suggestion\n<!-- note -->\n```", ["<!-- note -->"]],
    ["a comment that ends on its line", "<!-- x -->\n```suggestion\na\n```", ["a"]],
  ])("%s", (_, text, found) => {
    expect(suggestionsIn(text, 10)).toEqual(found);
  });

  test("are at most so many", () => {
    expect(suggestionsIn("```suggestion\na\n```\n".repeat(20), 3)).toEqual(["a", "a", "a"]);
  });
});

describe("the lines that a suggestion replaces", () => {
  const hunk = "@@ -1,3 +1,4 @@ f\n one\n-two\n+zwei\n+drei\n\\ No newline at end of file";

  test.each([
    [1, "drei"],
    [3, "one\nzwei\ndrei"],
  ])("the last %i of the new file", (count, lines) => {
    expect(linesBefore(hunk, count)).toBe(lines);
  });

  test("are unknown where the diff is shorter", () => {
    expect(linesBefore(hunk, 4)).toBeNull();
    expect(linesBefore("", 1)).toBeNull();
    expect(linesBefore(hunk, 0)).toBeNull();
  });
});
