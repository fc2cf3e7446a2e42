/** The audit log's files: their cost per commit, what they survive and contain, beyond the contract of every store. */
import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { JournalAudit, MAX_AUDIT_SCAN_BYTES } from "../../src/store/lowdb/audit.ts";
import { type FileSystem, Folder } from "../../src/store/lowdb/disk.ts";
import { entry, walk } from "./store/audit.ts";
import { filesIn, inPlace, noSpace } from "./store/lowdb-place.ts";
import { jobId, START } from "./store/sample.ts";

const DAY_MS = 86_400_000;
const open = (dir: string, disk: FileSystem = fs, now = () => START) => new JournalAudit(new Folder(disk, dir), now);

describe("the files of the audit log", () => {
  it("are one for each day, and go when they are too old, at the start and when a new day begins", () =>
    inPlace(async ({ dir }) => {
      let now = START;
      const audit = open(dir, fs, () => now);
      await audit.add(entry(0));
      now = START + DAY_MS;
      await audit.add(entry(1, { at: now }));
      expect(filesIn(dir)).toEqual(["2026-01-01.jsonl", "2026-01-02.jsonl"]);
      now = START + 401 * DAY_MS;
      await audit.add(entry(2, { at: now }));
      expect(filesIn(dir)).toEqual(["2026-01-02.jsonl", "2027-02-06.jsonl"]);
      expect((await walk(audit, { limit: 9 })).found).toEqual(["request-2", "request-1"]);
      await audit.close();
      now = START + 500 * DAY_MS;
      await open(dir, fs, () => now).close();
      expect(filesIn(dir)).toEqual(["2027-02-06.jsonl"]);
    }));

  it("make nobody wait: an entry is written at once, without a flush, and flushed once with those that follow it", () =>
    inPlace(async ({ dir }) => {
      let flushes = 0;
      const counted = Object.assign((fd: number, done: (error: NodeJS.ErrnoException | null) => void) => {
        flushes += 1;
        fs.fdatasync(fd, done);
      }, fs.fdatasync);
      const fsyncSync = (fd: number) => {
        flushes += 1;
        fs.fsyncSync(fd);
      };
      const disk: FileSystem = { ...fs, fdatasync: counted, fsyncSync };
      const folder = new Folder(disk, dir);
      const audit = new JournalAudit(folder, () => START);
      flushes = 0;
      for (let n = 0; n < 100; n++) await audit.add(entry(n));
      expect(flushes).toBe(0);
      expect(fs.readFileSync(join(dir, "2026-01-01.jsonl"), "utf8").split("\n")).toHaveLength(101);
      await audit.close();
      // the name of the file, then its lines, which the close waits for
      expect(flushes).toBeGreaterThan(0);
      expect(flushes).toBeLessThanOrEqual(3);
    }));

  it("go on behind a line that a power cut has torn, and skip one that somebody has changed", () =>
    inPlace(async ({ dir }) => {
      const before = open(dir);
      for (const n of [1, 2]) await before.add(entry(n));
      await before.close();
      const path = join(dir, "2026-01-01.jsonl");
      fs.writeFileSync(path, `${fs.readFileSync(path, "utf8").replace('"request-1"', "7")}{"at":17672256`);
      const audit = open(dir);
      expect((await walk(audit, { limit: 9 })).found).toEqual(["request-2"]);
      await audit.add(entry(3));
      expect((await walk(audit, { limit: 9 })).found).toEqual(["request-3", "request-2"]);
      expect(fs.readFileSync(path, "utf8").trimEnd().split("\n")).toHaveLength(3);
      await audit.close();
    }));

  it("are looked through in bounded steps, however much there is", () =>
    inPlace(async ({ dir }) => {
      const audit = open(dir);
      const pad = "x".repeat(2_000);
      const count = Math.ceil((2.5 * MAX_AUDIT_SCAN_BYTES) / 2_200);
      await audit.add(entry(0, { target: { type: "job", id: jobId(7) } }));
      for (let n = 1; n < count; n++) await audit.add(entry(n, { address: pad }));
      const { found, pages } = await walk(audit, { limit: 9, job_id: jobId(7) });
      expect(found).toEqual(["request-0"]);
      expect(pages).toBe(3);
      await audit.close();
    }));

  it("take nothing that cannot be written, and go on when there is room again", () =>
    inPlace(async ({ dir }) => {
      let full = false;
      const writeSync = ((...args: Parameters<typeof fs.writeSync>) => {
        if (full) throw noSpace();
        return fs.writeSync(...args);
      }) as FileSystem["writeSync"];
      const audit = open(dir, { ...fs, writeSync });
      await audit.add(entry(1));
      full = true;
      await expect(audit.add(entry(2))).rejects.toThrow("Cannot write");
      full = false;
      await audit.add(entry(3));
      expect((await walk(audit, { limit: 9 })).found).toEqual(["request-3", "request-1"]);
      await audit.close();
      await expect(audit.add(entry(4))).rejects.toThrow("closed");
    }));
});
