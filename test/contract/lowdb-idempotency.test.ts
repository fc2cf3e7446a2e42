/** What the files of kept answers cost and survive, beyond the contract of every store. */
import fs from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type FileSystem, Folder } from "../../src/store/lowdb/disk.ts";
import { IDEMPOTENCY_KEPT_MS, LowdbIdempotency } from "../../src/store/lowdb/idempotency.ts";
import { filesIn, inPlace, noSpace } from "./store/lowdb-place.ts";
import { jobId, START } from "./store/sample.ts";

const scope = (n: number): string => n.toString(16).padStart(64, "0");
const asked = (n: number, at = START + n) => ({ scope: scope(n), fingerprint: "f", work_id: jobId(n), at });
const done = { status: 200, headers: {}, body: {} };

it("drops the oldest when there are too many, on the disk as well", () =>
  inPlace(async ({ dir }) => {
    const room = new LowdbIdempotency(new Folder(fs, dir), () => START, 3);
    for (let n = 0; n < 5; n++) await room.begin(asked(n));
    expect(filesIn(dir).map((name) => name.slice(0, 64))).toEqual([scope(2), scope(3), scope(4)]);
    expect(await room.begin(asked(2))).toMatchObject({ kind: "running" });
    expect(await room.begin(asked(0))).toEqual({ kind: "new" });
  }));

it("clears away what is too old, at the start and with each new request", () =>
  inPlace(async ({ dir }) => {
    let now = START;
    const folder = new Folder(fs, dir);
    const room = new LowdbIdempotency(folder, () => now);
    for (let n = 0; n < 12; n++) await room.begin(asked(n));
    now = START + IDEMPOTENCY_KEPT_MS + 100;
    await room.begin(asked(12, now));
    expect(filesIn(dir)).toHaveLength(5);
    folder.close();
    const again = new LowdbIdempotency(new Folder(fs, dir), () => now);
    expect(filesIn(dir)).toHaveLength(1);
    expect(await again.begin(asked(12, now))).toMatchObject({ kind: "running" });
  }));

it("goes by the newer of two records that a crash has left of one key", () =>
  inPlace(async ({ dir }) => {
    const room = new LowdbIdempotency(new Folder(fs, dir), () => START + 5);
    await room.begin(asked(1));
    await room.finish(scope(1), done);
    const [name = ""] = filesIn(dir);
    const older = fs.readFileSync(join(dir, name), "utf8").replace('"f"', '"of yesterday"');
    fs.writeFileSync(join(dir, `${scope(1)}-${START}.json`), older);
    const again = new LowdbIdempotency(new Folder(fs, dir), () => START + 5);
    expect(await again.begin(asked(1))).toEqual({ kind: "same", answer: done });
    expect(filesIn(dir)).toEqual([name]);
  }));

it("begins nothing that it cannot write down", () =>
  inPlace(async ({ dir }) => {
    let full = true;
    const writeSync = ((...args: Parameters<typeof fs.writeSync>) => {
      if (full) throw noSpace();
      return fs.writeSync(...args);
    }) as FileSystem["writeSync"];
    const room = new LowdbIdempotency(new Folder({ ...fs, writeSync }, dir), () => START);
    await expect(room.begin(asked(1))).rejects.toThrow("Cannot write");
    full = false;
    expect(await room.begin(asked(1))).toEqual({ kind: "new" });
  }));
