/** The lint of imports finds every kind of mistake and nothing else, on files of a small project. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ICruiseResult } from "dependency-cruiser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deadRows, forbiddenImports, readImports } from "../lint-imports.ts";

const MISTAKES: readonly (readonly [file: string, mistake: string, text: string])[] = [
  ["src/domain/job/a.ts", "may import only: src/text", 'import type { X } from "../../engine/ports/jobs.ts";'],
  ["src/domain/job/b.ts", "may use no package but: zod", 'import { createHash } from "node:crypto";'],
  ["src/store/a.ts", "imports src/engine/runner.ts", 'import { Runner } from "../engine/runner.ts";'],
  ["src/http/a.ts", "imports src/store/lowdb/b.ts", 'export { x } from "../store/lowdb/b.ts";'],
  ["src/github/events/a.ts", "imports src/github/client/b.ts", 'import { x } from "../client/b.ts";'],
  ["src/github/events/b.ts", "imports node_modules/octokit", 'import { Octokit } from "octokit";'],
  [
    "test/sandbox/a.ts",
    "may import only: src/contracts/first-task.ts, src/contracts/models.ts",
    'import {\n  x,\n  y,\n} from "../../src/contracts/brief.ts";',
  ],
  ["test/sandbox/b.ts", "imports src/main/compose.ts", 'await import("../../src/main/compose.ts");'],
  ["agent/a.ts", "may import only: src/text, src/contracts", 'import "../src/domain/job/job.ts";'],
  ["src/main.ts", "imports src/store/lowdb/b.ts", 'import { x } from "./store/lowdb/b.ts";'],
  ["src/actions-mode/a.ts", "imports src/http/b.ts", 'import { x } from "../http/b.ts";'],
  ["src/main/compose.ts", "imports test/sandbox/c.ts", 'import { x } from "../../test/sandbox/c.ts";'],
  ["src/http/c.ts", "imports src/http/string-utils.ts, but is named", 'import { x } from "./string-utils.ts";'],
  ["src/llm/a.ts", "runs without devDependencies", 'import nock from "nock";'],
  [
    "src/webhooks/a.ts",
    "imports itself through src/webhooks/b.ts, src/webhooks/a.ts",
    'import type { B } from "./b.ts";\nexport type A = 1;',
  ],
  ["test/c.ts", "imports itself through test/d.ts, test/c.ts", 'const d = () => import("./d.ts");'],
];

const RIGHT: readonly (readonly [file: string, what: string, text: string])[] = [
  ["src/store/c.ts", "the ports of the engine", 'import type { Effect } from "../engine/ports/jobs.ts";'],
  ["src/store/d.ts", "its own room", 'import { b } from "./lowdb/b.ts";'],
  ["src/http/d.ts", "a package", 'import express from "express";'],
  ["src/domain/job/c.ts", "the package of a pure room", 'import { z } from "zod";'],
  ["agent/tools/a.ts", "an arrow of the table", 'import { redact } from "../../src/contracts/redact.ts";'],
  ["src/http/e.ts", "an import in a comment", '// import "../store/lowdb/b.ts";\nexport const a = "import()";'],
  ["src/http/commonmark.ts", "a word that only begins like an empty one", 'import "./helpersome.ts";'],
];

const TARGETS = [
  ...["src/engine/ports/jobs.ts", "src/engine/runner.ts", "src/store/lowdb/b.ts", "src/github/client/b.ts"],
  ...["src/contracts/brief.ts", "src/contracts/redact.ts", "src/domain/job/job.ts", "src/http/b.ts", "src/loose.ts"],
  ...["src/http/string-utils.ts", "src/http/helpersome.ts", "test/sandbox/c.ts", "src/github/loose.ts"],
];
const PACKAGES = {
  dependencies: { octokit: "1.0.0", express: "1.0.0", zod: "1.0.0" },
  devDependencies: { nock: "1.0.0" },
};

const ROOT = mkdtempSync(join(tmpdir(), "imports-"));
afterAll(() => rmSync(ROOT, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(ROOT, file)), { recursive: true });
  writeFileSync(join(ROOT, file), text);
}

let imports: ICruiseResult;
const findings = (file: string): string[] => forbiddenImports(imports).filter((one) => one.startsWith(`${file} `));

beforeAll(async () => {
  for (const file of TARGETS) write(file, "");
  write("src/webhooks/b.ts", 'export type { A } from "./a.ts";');
  write("test/d.ts", 'import "./c.ts";');
  for (const [file, , text] of [...MISTAKES, ...RIGHT]) write(file, text);
  for (const name of Object.values(PACKAGES).flatMap(Object.keys)) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js" }));
    write(`node_modules/${name}/index.js`, "");
  }
  write("package.json", JSON.stringify(PACKAGES));
  imports = await readImports(ROOT);
});

describe("the lint of imports objects", () => {
  test.each(MISTAKES)("in %s: %s", (file, mistake) => {
    expect(findings(file)).toEqual([expect.stringContaining(mistake)]);
  });

  test.each(RIGHT)("but not in %s to %s", (file) => {
    expect(findings(file)).toEqual([]);
  });

  test("to files without a row, rows without a file, and what a row allows in vain", () => {
    const dead = deadRows(imports);
    expect(dead).toEqual(expect.arrayContaining(["src/loose.ts has no row", "src/github/loose.ts has no row"]));
    expect(dead).toEqual(expect.arrayContaining(["src/main/serve.ts is no file"]));
    expect(dead).toEqual(expect.arrayContaining(["src/main.ts imports nothing of src/main/serve.ts"]));
    expect(dead).toEqual(expect.arrayContaining(["src/text imports nothing of fastest-levenshtein"]));
    expect(dead).not.toContain("src/domain imports nothing of zod");
    expect(dead).not.toContain("agent imports nothing of src/contracts");
  });
});
