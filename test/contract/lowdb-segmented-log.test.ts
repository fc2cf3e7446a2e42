/** Logs in numbered journals: what is found again, when the next segment begins, and how the oldest leave. */
import fs from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type FileSystem, Folder } from "../../src/store/lowdb/disk.ts";
import { append, note, SegmentedLog } from "../../src/store/lowdb/segmented-log.ts";
import { filesIn, inPlace, noSpace } from "./store/lowdb-place.ts";

const MEGABYTE = "x".repeat(1024 * 1024);
const names = (...numbers: readonly number[]) => numbers.map((number) => `journal-0000000${number}.jsonl`);

/** Lines begin with their key. `kept` are carried over, and `again` once more when it was on the disk. */
function open(dir: string, kept = new Set<string>(), again = new Set<string>(), disk: FileSystem = fs) {
  const keyOf = (line: string) => line.split(" ")[0] ?? "";
  const found: string[] = [];
  const log = new SegmentedLog<string[]>(
    new Folder(disk, dir),
    {
      index: () => [],
      read: (line, { segment, start, length }) => {
        if (line.toString() === "damaged") throw new Error("It is damaged.");
        expect(segment.journal.read(start, length)).toBe(line.toString());
        segment.index.push(line.toString());
        found.push(keyOf(line.toString()));
      },
    },
    {
      isOver: () => true,
      settled: async () => undefined,
      carryOver: ({ index }, to) => {
        for (const line of index) {
          if (!kept.has(keyOf(line))) continue;
          append(to, line);
          to.index.push(line);
        }
        return () => !index.some((line) => again.delete(keyOf(line)));
      },
    },
  );
  const add = async (line: string) => {
    const { segment } = log.add(line);
    segment.index.push(line);
    await segment.journal.flushed();
  };
  return { log, found, add };
}

async function fill(
  { add, log }: Pick<ReturnType<typeof open>, "add" | "log">,
  keys: readonly string[],
): Promise<void> {
  for (const key of keys) await add(`${key} ${MEGABYTE}`);
  await log.retired();
}

const EIGHT = ["a", "b", "c", "d", "e", "f", "g", "h"];

it("finds every whole line again at its place, and goes on behind the last of them", () =>
  inPlace(async ({ dir }) => {
    const first = open(dir);
    for (const line of ["a 1", "b ü", "c"]) await first.add(line);
    await first.log.close();
    const path = join(dir, names(1)[0] ?? "");
    fs.appendFileSync(path, "torn");
    const second = open(dir);
    expect(second.found).toEqual(["a", "b", "c"]);
    await second.add("d");
    await second.log.close();
    expect(fs.readFileSync(path, "utf8")).toBe("a 1\nb ü\nc\nd\n");
  }));

it("names the file and the line that is damaged", () =>
  inPlace(async ({ dir }) => {
    const { log, add } = open(dir);
    for (const line of ["a", "damaged", "b"]) await add(line);
    await log.close();
    expect(() => open(dir)).toThrow(`${join(dir, names(1)[0] ?? "")} (line 2) is damaged.`);
  }));

it("carries over what counts, and removes the full segment", () =>
  inPlace(async ({ dir }) => {
    const first = open(dir, new Set(["b"]));
    await fill(first, [...EIGHT, "i"]);
    expect(filesIn(dir)).toEqual(names(2));
    await first.log.close();
    expect(open(dir).found.sort()).toEqual(["b", "i"]);
  }));

it("does not carry over the same lines again before as many have come", () =>
  inPlace(async ({ dir }) => {
    const { log, add } = open(dir, new Set(EIGHT));
    await fill({ log, add }, [...EIGHT, "i"]);
    // nine of sixteen megabytes
    await fill({ log, add }, ["j", "k", "l", "m", "n", "o"]);
    expect(filesIn(dir)).toEqual(names(2));
    await fill({ log, add }, ["p", "q"]);
    expect(filesIn(dir)).toEqual(names(3));
    await log.close();
  }));

it("leaves a segment that could not be carried over, and tries again with the next one", () =>
  inPlace(async ({ dir }) => {
    const disk: FileSystem = { ...fs };
    const { log, add } = open(dir, new Set(["a"]), new Set(), disk);
    await fill({ log, add }, EIGHT);
    Object.assign(disk, { fdatasync: (_fd: number, done: (error: Error) => void) => done(noSpace()) });
    await expect(add("lost")).rejects.toThrow("Cannot write");
    await log.retired();
    Object.assign(disk, fs);
    expect(filesIn(dir)).toEqual(names(1, 2));
    await fill({ log, add }, EIGHT);
    await add("i");
    await log.retired();
    expect(filesIn(dir)).toEqual(names(3));
    await log.close();
  }));

it("carries over once more what counts again meanwhile", () =>
  inPlace(async ({ dir }) => {
    const again = new Set(["c"]);
    const first = open(dir, new Set(["c"]), again);
    await fill(first, [...EIGHT, "i"]);
    expect(again.size).toBe(0);
    expect(filesIn(dir)).toEqual(names(2));
    await first.log.close();
    expect(open(dir).found.sort()).toEqual(["c", "c", "i"]);
  }));

it("begins the next segment when the first line of the last one is old, and removes what a store says", () =>
  inPlace(async ({ dir }) => {
    const log = new SegmentedLog(new Folder(fs, dir), { max_age_ms: 10, index: () => null, read: () => undefined });
    expect(log.roll(1_000)).toBe(false);
    note(log.last, 0);
    note(log.last, 7);
    expect([log.roll(9), log.roll(10), log.roll(20)]).toEqual([false, true, false]);
    expect(log.full.map(({ newest_at }) => newest_at)).toEqual([7]);
    for (const segment of log.full) log.remove(segment);
    expect(filesIn(dir)).toEqual(names(2));
    await log.close();
  }));

it("takes no line once it is closed", () =>
  inPlace(async ({ dir }) => {
    const { log } = open(dir);
    await log.close();
    expect(() => log.add("late")).toThrow(`The store in ${dir} is closed.`);
  }));
