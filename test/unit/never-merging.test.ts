/** Files that a settings file cannot allow to merge, whatever their name and kind. */
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
  // of version control, of programs that merge, and of agents
  ".lfsconfig",
  ".gitconfig",
  "vendor/.hg/hgrc",
  ".git-hooks/pre-push",
  "prek.toml",
  ".mergify.yml",
  ".mergify/config.yml",
  ".kodiak.toml",
  ".policy.yml",
  ".asf.yaml",
  "renovate.json",
  ".renovaterc.json5",
  ".coderabbit.yaml",
  "QWEN.md",
  ".goosehints",
  ".rules",
  ".kiro/steering/tone.md",
  ".continue/config.yaml",
  ".amazonq/rules/a.md",
  "opencode.json",
  ".aider.model.settings.yml",
  // of CI and hosts
  ".readthedocs.yaml",
  "netlify.toml",
  "vercel.json",
  "codemagic.yaml",
  "Dangerfile",
  "dangerfile.ts",
  ".zuul.d/jobs.yaml",
  // of editors, shells and interpreters
  "a.code-workspace",
  "docs/My Work.CODE-WORKSPACE",
  "a.sublime-project",
  ".helix/languages.toml",
  ".lazy.lua",
  ".vs/tasks.vs.json",
  ".externalToolBuilders/make.launch",
  ".stackblitzrc",
  "devfile.yaml",
  "devbox.json",
  ".gdbinit",
  ".Rprofile",
  ".iex.exs",
  ".pdbrc",
  ".config/mise/config.toml",
  "mise.production.toml",
  ".mise-tasks/build",
  ".tool-versions",
  // of package managers and build tools
  "tests/fixtures/.npmrc",
  ".pnpmfile.mjs",
  "packages/a/.pnpmfile.cjs",
  "pnpm-workspace.yaml",
  "bunfig.toml",
  ".pnp.cjs",
  ".yarn/plugins/a.cjs",
  "node_modules/.bin/eslint",
  ".cargo/config.toml",
  "rust-toolchain.toml",
  "uv.toml",
  "poetry.toml",
  "sitecustomize.py",
  "pyvenv.cfg",
  ".bundle/config",
  ".mvn/extensions.xml",
  "gradle/wrapper/gradle-wrapper.properties",
  ".jvmopts",
  "NuGet.Config",
  "Directory.Build.props",
  "global.json",
  ".bazelrc",
  ".bazelversion",
  "tools/bazel",
  ".buckconfig",
  "pants.toml",
  "ansible.cfg",
  ".terraform/providers/a",
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
    "BAZELR~1",
    "PNPMFI~1.MJS",
    "PNPM-W~1.YAM",
    "BUNFIG~1.TOM",
    "A/MERGIF~2.YML",
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
      "src/rules/index.ts",
      "src/bazel/tools.ts",
      "Makefile",
      "build.gradle",
      "eslint.config.js",
      "pyproject.toml",
      "src/vs/editor.ts",
      "src/agents/market.ts",
      "gradle/libs.versions.toml",
      "docs/mise.md",
      "workspace.code",
      "RUNNER~1.TXT",
    ];
    expect(neverMerges(others)).toBeNull();
    expect(NEVER_MERGING.length).toBeGreaterThan(0);
  });
});
