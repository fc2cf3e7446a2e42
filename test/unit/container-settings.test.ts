/** `container` of the settings file: names of images as Docker reads them, and commands within bounds. */
import { expect, test } from "vitest";
import { isImageName } from "../../src/contracts/container.ts";
import { parseSettings } from "../../src/github/repository-settings/settings-file.ts";

const DIGEST = `sha256:${"0a".repeat(32)}`;
const settings = (container: unknown): string => {
  const answer = parseSettings(`container: ${JSON.stringify(container)}`);
  return answer.ok ? JSON.stringify(answer.settings.container) : answer.problem;
};

test.each([
  ...["ruby", "ruby:3.4-slim", "acme/ci", "ghcr.io/acme/ci:1", `ghcr.io/acme/ci@${DIGEST}`, `a/b:c@${DIGEST}`],
  ...["localhost/a", "localhost:5000/a/b/c", "10.0.0.1:5000/a", "a__b/c-d.e", "MyHost/a:X_Y"],
])("%s is the name of an image", (name) => {
  expect(isImageName(name)).toBe(true);
});

test.each([
  ...[
    "",
    " ",
    "-v",
    "--privileged",
    "a b",
    "a\nb",
    "Ruby",
    "a/",
    "/a",
    "a//b",
    "a:",
    "a:b:c",
    "a@b",
    `a@${DIGEST}@${DIGEST}`,
  ],
  ...[
    "a/b:c/d",
    "a;b",
    "$(x)",
    "a'b",
    "../a",
    "a/..",
    ".a",
    "a_.b",
    "http://a/b",
    `a:${"x".repeat(129)}`,
    "a/".repeat(200),
  ],
  ...["a\u0000", "ä", "a..b", "host:123456/a", "ruby:3.4 --network host"],
])("%j is none", (name) => {
  expect(isImageName(name)).toBe(false);
});

test("what is left out has a default, and what is wrong is said in one sentence with its line", () => {
  expect(settings({ image: "ruby:3.4" })).toBe('{"image":"ruby:3.4","setup":[],"setup_minutes":15}');
  expect(settings({ image: "-v /:/host" })).toMatch(
    /^`\S+` has a wrong value at `container.image` \(line 1\): is the name/,
  );
  expect(settings({ image: "a", setup: "make" })).toContain("`container.setup`");
  expect(settings({ image: "a", setup: ["true", " "] })).toContain("`container.setup[1]`");
  expect(settings({ image: "a", setup: ["a\0b"] })).toContain("`container.setup[0]`");
  expect(settings({ image: "a", setup: Array(21).fill("true") })).toContain("`container.setup`");
  expect(settings({ image: "a", setup: ["x".repeat(4_001)] })).toContain("`container.setup[0]`");
  expect(settings({ image: "a", setup_minutes: 61 })).toContain("`container.setup_minutes`");
  expect(settings({ setup: ["true"] })).toContain("`container.image`");
  expect(settings({ image: "a", set_up: [] })).toContain("Did you mean `setup`?");
  expect(settings(null)).toContain("`container`");
  expect(settings("ruby:3.4")).toContain("`container`");
});
