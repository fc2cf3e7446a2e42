/** The journals of stored answers: their cost and what they survive, beyond the contract of every store. */
import fs from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type FileSystem, Folder } from "../../src/store/lowdb/disk.ts";
import { IDEMPOTENCY_KEPT_MS, JournalIdempotency } from "../../src/store/lowdb/idempotency.ts";
import { filesIn, inPlace, noSpace } from "./store/lowdb-place.ts";
import { jobId, START } from "./store/sample.ts";

const scope = (n: number): string => n.toString(16).padStart(64, "0");
const asked = (n: number, at = START + n) => ({ scope: scope(n), fingerprint: "f", work_id: jobId(n), at });
const done = { status: 200, headers: {}, body: {} };
/** Two of them fill a journal. */
const large = { status: 200, headers: {}, body: { text: "x".repeat(5_000_000) } };

const open = (dir: string, now: () => number = () => START, fileSystem: FileSystem = fs) =>
  new JournalIdempotency(new Folder(fileSystem, dir), now);

async function work(room: JournalIdempotency, n: number, answer: typeof done | typeof large = done): Promise<void> {
  await room.begin(asked(n));
  await room.finish(scope(n), answer);
}

it("drops the oldest when there are too many, over restarts", () =>
  inPlace(async ({ dir }) => {
    for (const most of [3, 3]) {
      const room = new JournalIdempotency(new Folder(fs, dir), () => START, most);
      for (let n = 0; n < 5; n++) await room.begin(asked(n));
      expect(await room.begin(asked(3))).toMatchObject({ kind: "running" });
      expect(await room.begin(asked(0))).toEqual({ kind: "new" });
      await room.close();
    }
  }));

it("removes a journal when nothing in it counts any more, and none before an older one", () =>
  inPlace(async ({ dir }) => {
    const room = open(dir);
    for (const n of [1, 2]) await work(room, n, large);
    await work(room, 3);
    await room.release(scope(3));
    for (const n of [4, 5]) await work(room, n, large);
    await work(room, 6);
    expect(filesIn(dir)).toHaveLength(3);
    for (const n of [3, 4, 5]) await room.release(scope(n));
    // what was released in the second would come back, if it went before the first
    await work(room, 7);
    expect(filesIn(dir)).toHaveLength(3);
    for (const n of [1, 2]) await room.release(scope(n));
    await work(room, 8);
    expect(filesIn(dir)).toEqual(["requests-00000003.jsonl"]);
    await room.close();
    const again = open(dir);
    for (const n of [6, 7, 8]) expect(await again.begin(asked(n))).toEqual({ kind: "same", answer: done });
    for (const n of [1, 3, 4]) expect(await again.begin(asked(n))).toEqual({ kind: "new" });
    await again.close();
  }));

it("clears away what is too old, at the start and with each new request", () =>
  inPlace(async ({ dir }) => {
    let now = START;
    const room = open(dir, () => now);
    for (let n = 0; n < 12; n++) await work(room, n);
    now = START + IDEMPOTENCY_KEPT_MS + 100;
    await room.begin(asked(12, now));
    expect(filesIn(dir)).toHaveLength(2);
    await room.begin(asked(13, now));
    expect(filesIn(dir)).toEqual(["requests-00000002.jsonl"]);
    await room.close();
    now += IDEMPOTENCY_KEPT_MS;
    const again = open(dir, () => now);
    expect(await again.begin(asked(12, now))).toEqual({ kind: "new" });
    await again.close();
  }));

it("goes by the last line of a request, and by no torn one", () =>
  inPlace(async ({ dir }) => {
    const room = open(dir);
    await work(room, 1);
    await room.begin(asked(2));
    await room.release(scope(2));
    await room.begin(asked(3));
    await room.close();
    const [name = ""] = filesIn(dir);
    fs.appendFileSync(join(dir, name), `{"scope":"${scope(3)}","at":${START},"fingerprint":"f","ans`);
    const again = open(dir);
    expect(await again.begin(asked(1))).toEqual({ kind: "same", answer: done });
    expect(await again.begin(asked(2))).toEqual({ kind: "new" });
    expect(await again.begin(asked(3))).toMatchObject({ kind: "running", work_id: jobId(3) });
    await again.finish(scope(3), done);
    await again.close();
    const third = open(dir);
    expect(await third.begin(asked(3))).toEqual({ kind: "same", answer: done });
    await third.close();
  }));

it("refuses to start on a journal that is damaged, and names it", () =>
  inPlace(async ({ dir }) => {
    const room = open(dir);
    await work(room, 1);
    await room.close();
    const [name = ""] = filesIn(dir);
    fs.writeFileSync(join(dir, name), `what is this\n${fs.readFileSync(join(dir, name), "utf8")}`);
    expect(() => open(dir)).toThrow(`${name} (line 1) is damaged`);
  }));

it("shares flushes between those who come at once: two for all of them", () =>
  inPlace(async ({ dir }) => {
    let flushes = 0;
    const fdatasync = ((fd: number, told: (error: NodeJS.ErrnoException | null) => void) => {
      flushes++;
      fs.fdatasync(fd, told);
    }) as FileSystem["fdatasync"];
    const room = open(dir, undefined, { ...fs, fdatasync });
    await Promise.all(Array.from({ length: 50 }, (_, n) => room.begin(asked(n))));
    expect(flushes).toBeLessThanOrEqual(2);
    await room.close();
  }));

it("begins nothing that it cannot write down", () =>
  inPlace(async ({ dir }) => {
    let full = true;
    const writeSync = ((...args: Parameters<typeof fs.writeSync>) => {
      if (full) throw noSpace();
      return fs.writeSync(...args);
    }) as FileSystem["writeSync"];
    const room = open(dir, undefined, { ...fs, writeSync });
    await expect(room.begin(asked(1))).rejects.toThrow("Cannot write");
    full = false;
    expect(await room.begin(asked(1))).toEqual({ kind: "new" });
    await room.close();
  }));

it("takes back what could not be flushed, and tells those who came meanwhile", () =>
  inPlace(async ({ dir }) => {
    let broken = true;
    const fdatasync = ((fd: number, told: (error: NodeJS.ErrnoException | null) => void) => {
      if (broken) setImmediate(() => told(noSpace()));
      else fs.fdatasync(fd, told);
    }) as FileSystem["fdatasync"];
    const room = open(dir, undefined, { ...fs, fdatasync });
    const [first, second] = await Promise.allSettled([room.begin(asked(1)), room.begin(asked(1))]);
    expect([first.status, second.status]).toEqual(["rejected", "rejected"]);
    broken = false;
    expect(await room.begin(asked(1))).toEqual({ kind: "new" });
    broken = true;
    await expect(room.finish(scope(1), done)).rejects.toThrow("Cannot write");
    broken = false;
    expect(await room.begin(asked(1))).toMatchObject({ kind: "running" });
    await room.finish(scope(1), done);
    await room.close();
    const again = open(dir);
    expect(await again.begin(asked(1))).toEqual({ kind: "same", answer: done });
    await again.close();
  }));
