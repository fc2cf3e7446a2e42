/** The lint of cuts finds every way to cut text at a limit, and leaves lists and positions alone. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";

const FOLDER = mkdtempSync(join(tmpdir(), "lint-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

const SOURCE = `const MOST = 200;
export const a = (text: string) => text.slice(0, MOST);
export const b = (text: string) => text["slice"](0, MOST);
export const c = (text: string, n: number) => text.slice(0, n);
export const d = (text: string | undefined, limit: number) => text?.substring(0, limit - 1);
export const e = (text: string) => text.slice(0, 300);
export const list = (all: string[]) => all.slice(0, MOST);
export const named = (all: string[]) => all["slice"](0, MOST);
export const before = (text: string) => text.slice(0, text.indexOf("a"));
export const from = (text: string, at: number) => text.slice(at);
export const short = (hash: string) => hash.slice(0, 7);
`;

test("text that is cut at a limit is found, however the call is written", async () => {
  mkdirSync(join(FOLDER, "src"));
  writeFileSync(join(FOLDER, "src/cuts.ts"), SOURCE);
  writeFileSync(join(FOLDER, "tsconfig.json"), '{"compilerOptions": {"strict": true}, "include": ["src"]}');
  const script = join(import.meta.dirname, "../lint-cuts.ts");
  const { exitCode, stderr } = await execa("node", [script, FOLDER], { reject: false, timeout: 60_000 });
  const places = stderr
    .split("\n")
    // Node may warn of something of its own there
    .flatMap((row) => /^src\/cuts\.ts:(\d+): (\w+) cuts text at a limit/.exec(row)?.slice(1).join(" ") ?? []);
  expect(places).toEqual(["2 slice", "3 slice", "4 slice", "5 substring", "6 slice"]);
  expect(exitCode).toBe(1);
});
