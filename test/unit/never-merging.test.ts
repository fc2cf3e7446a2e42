/** What a settings file cannot let merge by itself, whatever it is called and whatever kind of file it is. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NEVER_MERGING, neverMerges } from "../../src/domain/job/never-merging.ts";

/** Without stars, so that each glob is the path of a file. */
const GUARDED = [
  ".github/workflows/ci.yml",
  "CODEOWNERS",
  "docs/CODEOWNERS",
  "AGENTS.md",
  "packages/a/CLAUDE.md",
  "GEMINI.md",
  ".cursorrules",
  ".windsurfrules",
  ".clinerules/tone.md",
  ".mcp.json",
  ".claude/settings.json",
  "packages/a/.codex/config.toml",
  ".gemini/settings.json",
  ".gitattributes",
  "packages/a/.gitattributes",
  ".gitmodules",
  ".gitlab-ci.yml",
  ".circleci/config.yml",
  "azure-pipelines.yaml",
  "ci/Jenkinsfile",
  "ci/release.jenkinsfile",
  ".buildkite/pipeline.yml",
  ".drone.yml",
  ".travis.yml",
  "bitbucket-pipelines.yml",
  ".husky/pre-commit",
  ".pre-commit-config.yaml",
  "lefthook.yml",
  ".lintstagedrc.mjs",
  ".devcontainer/devcontainer.json",
  "packages/a/.devcontainer.json",
  ".vscode/tasks.json",
  ".idea/workspace.xml",
  ".npmrc",
  "packages/a/.npmrc",
  ".yarn/releases/yarn-4.cjs",
  ".pnpmfile.cjs",
  ".envrc",
  "mise.toml",
];

/** The same name to NTFS, APFS or HFS+. */
const ALIASES: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.replaceAll("s", "\u017f"),
  (name) => name.replaceAll("k", "\u212a"),
  (name) => `${name}.`,
  (name) => `${name}. .`,
  (name) => `${name} `,
  (name) => `${name}::$DATA`,
  (name) => `${name}:stream`,
  (name) => `${name.slice(0, 2)}\u200c${name.slice(2)}`,
];

describe("What never merges by itself", () => {
  test.each(GUARDED)("%s", (path) => {
    expect(neverMerges([path])).toContain(path);
  });

  test("in no spelling that a file system takes for the same", () => {
    const guarded = fc.constantFrom(...GUARDED);
    const aliases = fc.array(fc.constantFrom(...ALIASES), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(guarded, aliases, (path, all) => {
        const spelled = path
          .split("/")
          .map((name, at) => all[at]?.(name))
          .join("/");
        expect(neverMerges([spelled])).not.toBeNull();
      }),
    );
  });

  test.each([".github", ".claude", "packages/a/.cursor"])(
    "%s itself, which may be a link to another folder",
    (path) => {
      expect(neverMerges([path])).toContain("never merge by themselves");
    },
  );

  test.each([
    "GITHUB~1/workflows/ci.yml",
    "a/CLAUDE~1.MD",
    "GITATT~1",
    "HUSKY~1/pre-commit",
    "a/NPMRC~1",
    "GITLAB~1.YML",
    "CODEX~1/config.toml",
    "a/MCP~1.JSO",
    "IDEA~1/workspace.xml",
    "YARN~1/releases/yarn.cjs",
  ])("%s, a short name of Windows", (path) => {
    expect(neverMerges([path])).toContain("short names");
  });

  test("nothing else", () => {
    const others = [
      "src/agents.ts",
      "docs/claude.md.txt",
      "github/a.md",
      "my.github/a",
      "src/.hidden",
      ".gitignore",
      "backup~1.txt",
      "src/jenkinsfile.ts",
      "docs/vscode.md",
      "husky.md",
      "npmrc",
      "package.json",
      "yarn.lock",
      ".yarnignore",
      "a:b",
    ];
    expect(neverMerges(others)).toBeNull();
    expect(NEVER_MERGING.length).toBeGreaterThan(0);
  });
});
