/** The rules of `biome.json` on examples: who reads the environment, lengths, names. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

const ROOT = join(import.meta.dirname, "../..");

const lines = (count: number): string => `${"// a line\n".repeat(count - 1)}export const last = 1;\n`;
const functionOf = (count: number): string => `export function f() {\n${"  f();\n\n".repeat(count)}}\n`;

const MISTAKES: readonly (readonly [file: string, rule: string, text: string])[] = [
  ["src/http/a.ts", "lint/style/noProcessEnv", "export const port = process.env.PORT;\n"],
  ["src/http/b.ts", "lint/style/noProcessEnv", 'export const port = process["env"];\n'],
  ["src/http/c.ts", "plugin", "export const { env } = process;\n"],
  ["src/http/d.ts", "lint/style/noRestrictedImports", 'export { env } from "node:process";\n'],
  ["agent/tools/a.ts", "lint/style/noProcessEnv", "export const home = process.env.HOME;\n"],
  ["test/sandbox/a.ts", "lint/style/noProcessEnv", "export const path = process.env.PATH;\n"],
  ["src/http/j.ts", "plugin", 'export type Sender = import("../webhooks/sender.ts").Sender;\n'],
  ["src/http/e.ts", "lint/style/noExcessiveLinesPerFile", lines(401)],
  ["src/http/f.ts", "lint/complexity/noExcessiveLinesPerFunction", functionOf(61)],
  ["test/contract/a.ts", "lint/complexity/noExcessiveLinesPerFunction", functionOf(61)],
  ["src/store/camelCase.ts", "lint/style/useFilenamingConvention", ""],
];

const RIGHT: readonly (readonly [file: string, what: string, text: string])[] = [
  ["src/main/environment.ts", "the one reader of the server", "export const { PORT } = process.env;\n"],
  ["agent/egress/main.ts", "a process of the run", "export const port = process.env.PORT;\n"],
  ["test/flows/a.ts", "a test", "export const port = process.env.PORT;\n"],
  ["src/http/g.ts", "a comment", "// process.env is read elsewhere\nprocess.exitCode = 1;\n"],
  ["src/http/h.ts", "a file as long as it may be", lines(400)],
  ["src/http/i.ts", "a function as long as it may be", functionOf(60)],
  ["test/contract/a.test.ts", "a suite", functionOf(61)],
];

const reportSchema = z.object({
  diagnostics: z.array(z.object({ category: z.string(), location: z.object({ path: z.string() }) })),
});

const FOLDER = mkdtempSync(join(tmpdir(), "lint-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

let findings: { readonly category: string; readonly location: { readonly path: string } }[] = [];
const rulesOf = (file: string): string[] =>
  findings.filter(({ location }) => location.path.endsWith(file)).map(({ category }) => category);

beforeAll(async () => {
  for (const [file, , text] of [...MISTAKES, ...RIGHT]) {
    mkdirSync(dirname(join(FOLDER, file)), { recursive: true });
    writeFileSync(join(FOLDER, file), text);
  }
  for (const file of ["biome.json", "test/lint-process.grit", "test/lint-import-types.grit"])
    copyFileSync(join(ROOT, file), join(FOLDER, file));
  const biome = join(ROOT, "node_modules/.bin/biome");
  const options = ["--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none"];
  const { stdout } = await execa(biome, ["lint", ...options], { cwd: FOLDER, reject: false, timeout: 60_000 });
  findings = reportSchema.parse(JSON.parse(stdout)).diagnostics;
});

describe("the lint of files objects", () => {
  test.each(MISTAKES)("in %s: %s", (file, rule) => {
    expect(rulesOf(file)).toContain(rule);
  });

  test.each(RIGHT)("but not in %s to %s", (file) => {
    expect(rulesOf(file)).toEqual([]);
  });
});
