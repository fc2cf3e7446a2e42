/** Recent usage is counted across restarts, and damaged files do not prevent a start. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { dataFolder } from "../data-folder.ts";

const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 24 * 3_600_000;

function folder(...lines: string[]): string {
  const dir = dataFolder("journeyman-usage-");
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  if (lines.length > 0) {
    mkdirSync(join(dir, "usage"), { recursive: true });
    writeFileSync(join(dir, "usage", "journal-00000001.jsonl"), `${lines.join("\n")}\n`);
  }
  return dir;
}

async function newest(dir: string, n: number): Promise<number | null> {
  const store = await openLowdbStore({ dir, now: () => NOW });
  const at = await store.usage.nthNewest("round", "ada", n);
  await store.close();
  return at;
}

const line = (at: number, more: object = {}): string => JSON.stringify({ kind: "round", of: "ada", at, ...more });

it("counts on after a restart", async () => {
  const dir = folder();
  const store = await openLowdbStore({ dir, now: () => NOW });
  await store.usage.take({ kind: "round", of: "ada" }, { most: 9, ms: DAY_MS, at: NOW });
  await store.close();
  expect(readdirSync(join(dir, "usage")).map((name) => readFileSync(join(dir, "usage", name), "utf8"))).toEqual([
    `${line(NOW)}\n`,
  ]);
  expect([await newest(dir, 1), await newest(dir, 2)]).toEqual([NOW, null]);
});

it("leaves out lines that are damaged, and those of a kind that it does not know", async () => {
  const dir = folder(line(NOW - 2), "{", "\0\0", '{"kind":"round"}', line(NOW - 1, { kind: "later" }), line(NOW - 1));
  expect([await newest(dir, 1), await newest(dir, 2), await newest(dir, 3)]).toEqual([NOW - 1, NOW - 2, null]);
});

it("forgets what a clock that was far ahead has written", async () => {
  const dir = folder(line(NOW + 30 * DAY_MS));
  expect(await newest(dir, 1)).toBeNull();
});

it("does not start on lines of a newer format", async () => {
  await expect(newest(folder(line(NOW, { format: 99 })), 1)).rejects.toThrow("newer version of Journeyman");
});
