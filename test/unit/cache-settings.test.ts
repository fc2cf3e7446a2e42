/** `cache` of the settings file: folders of the home and nothing else, and the lock files that it belongs to. */
import { expect, test } from "vitest";
import { isCachePath, isLockFile } from "../../src/contracts/cache.ts";
import { parseSettings } from "../../src/github/repository-settings/settings-file.ts";

test.each(["~/.npm", "~/.cache/pip", "~/go/pkg/mod", "~/.m2/", "~/.cargo/registry", "~/.local/share/pnpm/store"])(
  "%s can be cached",
  (path) => expect(isCachePath(path)).toBe(true),
);

test.each([
  ...[
    "/etc",
    "~",
    "~/",
    "~/..",
    "~/../x",
    "~/a/../../etc",
    "~/./x",
    "~//x",
    ".npm",
    "node_modules",
    "$HOME/.npm",
    "~ada/x",
  ],
  ...[
    "~/*",
    "~/a b",
    "~/a\nb",
    "~/a\0",
    "~/-rf",
    "~/.ssh",
    "~/.ssh/keys",
    "~/.SSH",
    "~/.netrc",
    "~/.config/gh",
    "~/.npmrc",
  ],
  `~/${"x".repeat(200)}`,
])("%j cannot be cached", (path) => expect(isCachePath(path)).toBe(false));

test("a mistake is told in words, with its place", () => {
  const told = (cache: unknown): string => {
    const answer = parseSettings(`cache: ${JSON.stringify(cache)}`);
    return answer.ok ? "good" : answer.problem;
  };
  expect(told({ paths: ["~/.npm"], fill: ["npm ci"] })).toBe("good");
  expect(told({ paths: ["/etc"], fill: ["npm ci"] })).toMatch(
    /`cache\.paths\[0\]` \(line 1\): is a folder of the agent's home/,
  );
  expect(told({ paths: ["~/.npm"] })).toContain("`cache.fill`");
  expect(told({ paths: [], fill: ["npm ci"] })).toContain("`cache.paths`");
  expect(told({ paths: Array(11).fill("~/.npm"), fill: ["npm ci"] })).toContain("`cache.paths`");
  expect(told({ paths: ["~/.npm"], fill: [" "] })).toContain("`cache.fill[0]`");
  expect(told({ paths: ["~/.npm"], fill: ["x"], save: true })).toContain("save");
  expect(told(["~/.npm"])).toContain("`cache`");
});

test("lock files are known by their names, wherever they lie", () => {
  expect(["go.sum", "a/b/package-lock.json", "pom.xml"].every(isLockFile)).toBe(true);
  expect(["package.json", "go.sum/x", "my-go.sum", ""].some(isLockFile)).toBe(false);
});
