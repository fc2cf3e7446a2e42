/**
 * Files of the demo repository: a small program with tests and its own CI. The caller adds the workflow that runs jobs
 * and optionally a settings file.
 */
const README = `# Greeter

Says hello, politely.

    node -e 'import("./src/greet.js").then(({ greet }) => console.log(greet("Ada")))'

Tests: \`npm test\`.
`;

const PACKAGE = `${JSON.stringify(
  { name: "greeter", version: "1.0.0", private: true, type: "module", scripts: { test: "node --test" } },
  null,
  2,
)}\n`;

const GREET = `export function greet(name) {
  const who = name?.trim();
  return who ? \`Hello, \${who}!\` : "Hello, stranger!";
}
`;

const GREET_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { greet } from "../src/greet.js";

test("greets by name", () => {
  assert.equal(greet(" Ada "), "Hello, Ada!");
});

test("greets someone without a name", () => {
  assert.equal(greet(), "Hello, stranger!");
});
`;

/** A file named BROKEN turns CI red, to show how that is handled. */
const CI = `name: CI
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
      - name: Nothing is broken
        run: |
          if [ -e BROKEN ]; then
            echo "::error file=BROKEN::A file named BROKEN is in the repository"
            exit 1
          fi
      - name: Test
        run: node --test
`;

export interface DemoOptions {
  /** Text of `.github/workflows/run-job.yml`; absent when the repository has no such workflow. */
  readonly runJobWorkflow?: string;
  /** Text of `.github/journeyman.yml`; absent when there is no settings file. */
  readonly settings?: string;
}

export function demoFiles({ runJobWorkflow, settings }: DemoOptions = {}): Record<string, string> {
  return {
    "README.md": README,
    "package.json": PACKAGE,
    "src/greet.js": GREET,
    "test/greet.test.js": GREET_TEST,
    ".github/workflows/ci.yml": CI,
    ...(runJobWorkflow === undefined ? {} : { ".github/workflows/run-job.yml": runJobWorkflow }),
    ...(settings === undefined ? {} : { ".github/journeyman.yml": settings }),
  };
}
