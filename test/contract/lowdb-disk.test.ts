/** The store on a disk that is full, broken or holds other content than was written. */
import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS, UNREAD_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import { credit, userAccount } from "../../src/domain/market/ledger.ts";
import type { FileSystem } from "../../src/store/lowdb/disk.ts";
import { observe } from "./observed-repositories.ts";
import { filesIn, inPlace, noSpace } from "./store/lowdb-place.ts";
import { commitOf, jobId, keep, START, sampleJob } from "./store/sample.ts";

const fileOf = (id: number): string => `jobs/${jobId(id)}.json`;

describe("a commit", () => {
  it("flushes the new content before it takes the name, the name after that, and nothing more", () =>
    inPlace(async (place) => {
      const calls: string[] = [];
      const store = await place.open(undefined, {
        ...fs,
        fsyncSync: (fd) => {
          calls.push(fs.fstatSync(fd).isDirectory() ? "flush folder" : "flush file");
          fs.fsyncSync(fd);
        },
        renameSync: (from, to) => {
          calls.push("rename");
          fs.renameSync(from, to);
        },
      });
      calls.length = 0;
      await keep(store.jobs, sampleJob(1));
      await keep(store.jobs, sampleJob(1, { status: "failed" }));
      const once = ["flush file", "rename", "flush folder"];
      expect(calls).toEqual([...once, ...once]);
      await store.close();
    }));

  const broken: readonly [string, (fail: () => never) => Partial<FileSystem>][] = [
    ["cannot be written", (fail) => ({ writeSync: fail })],
    ["cannot be flushed", (fail) => ({ fsyncSync: fail })],
    ["cannot be renamed", (fail) => ({ renameSync: fail })],
    ["can be written in part only", (fail) => ({ writeSync: partly(fail) })],
  ];
  for (const [what, faults] of broken) {
    it(`changes nothing when its file ${what}, and works again when that is mended`, () =>
      inPlace(async (place) => {
        const disk: FileSystem = { ...fs };
        const store = await place.open(undefined, disk);
        const before = await keep(store.jobs, sampleJob(1), { postings: credit("ada", 100) });
        const commit = commitOf(sampleJob(1, { status: "failed" }), 1, { postings: credit("ada", 50) });
        Object.assign(
          disk,
          faults(() => {
            throw noSpace();
          }),
        );
        await expect(store.jobs.commit(commit)).rejects.toThrow("the stored content has not changed");
        await expect(store.jobs.commit(commitOf(sampleJob(2), 0))).rejects.toThrow(fileOf(2));
        expect(await store.jobs.load(jobId(1))).toEqual(before);
        expect(await store.jobs.balance(userAccount("ada"))).toBe(100);
        expect((await store.jobs.list({ status: "failed", limit: 5 })).jobs).toEqual([]);
        expect(await store.jobs.load(jobId(2))).toBeNull();
        expect(await store.jobs.count()).toBe(1);
        Object.assign(disk, fs);
        expect(filesIn(join(place.dir, "jobs"))).toEqual([`${jobId(1)}.json`]);
        expect(await store.jobs.commit(commit)).toMatchObject({ ok: true, stored: { version: 2 } });
        await store.close();
      }));
  }

  it("is the last when the folder cannot be flushed, since nobody knows what a crash would leave", () =>
    inPlace(async (place) => {
      const disk: FileSystem = { ...fs };
      const store = await place.open(undefined, disk);
      await keep(store.jobs, sampleJob(1));
      disk.fsyncSync = (fd) => {
        if (fs.fstatSync(fd).isDirectory()) throw noSpace();
      };
      const sentence = `The disk failed to keep changes in ${join(place.dir, "jobs")}.`;
      await expect(keep(store.jobs, sampleJob(2))).rejects.toThrow(sentence);
      expect(await store.jobs.count()).toBe(1);
      Object.assign(disk, fs);
      await expect(keep(store.jobs, sampleJob(3))).rejects.toThrow(sentence);
      await store.close();
      const again = await place.open();
      expect(await again.jobs.load(jobId(1))).not.toBeNull();
      await again.close();
    }));

  it("of something that could not be read again never reaches the disk", () =>
    inPlace(async (place) => {
      const store = await place.open();
      const before = await keep(store.jobs, sampleJob(1));
      await expect(keep(store.jobs, sampleJob(1, { created_at: Number.NaN }))).rejects.toThrow();
      expect(await store.jobs.load(jobId(1))).toEqual(before);
      await store.close();
      await (await place.open()).close();
    }));

  it("to a closed store is refused", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await store.close();
      await expect(store.jobs.commit(commitOf(sampleJob(1), 0))).rejects.toThrow("is closed");
      await expect(
        store.inbox.record({ id: "a", at: START, event: { type: "uninstalled", installation_id: 7 } }),
      ).rejects.toThrow("is closed");
      expect(filesIn(join(place.dir, "jobs"))).toEqual([]);
    }));
});

/** Writes the first half of what it is given, then fails. */
function partly(fail: () => never): FileSystem["writeSync"] {
  let calls = 0;
  const write = (fd: number, bytes: NodeJS.ArrayBufferView, offset?: number | null, length?: number | null): number => {
    calls += 1;
    return calls % 2 === 1 ? fs.writeSync(fd, bytes, offset, Math.ceil((length ?? 2) / 2)) : fail();
  };
  return Object.assign(write, fs.writeSync);
}

describe("a store at its start", () => {
  it("removes what a killed write has left", () =>
    inPlace(async (place) => {
      await (await place.open()).close();
      const left = [`${fileOf(1)}.tmp`, "repositories/octo%2Fhello.json.tmp", "keys.json.tmp"];
      for (const name of left) fs.writeFileSync(join(place.dir, name), '{"half');
      const store = await place.open();
      expect(await store.jobs.count()).toBe(0);
      await store.close();
      expect(filesIn(place.dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    }));

  const damages: readonly [string, (text: string) => string][] = [
    ["cut short", (text) => text.slice(0, -2)],
    ["cut within its history", (text) => text.slice(0, text.indexOf('"history"') + 9)],
    ["empty", () => ""],
    ["all zeros", (text) => "\0".repeat(text.length)],
    ["another job's", (text) => text.replaceAll(jobId(1), jobId(2))],
    ["without a status that is known", (text) => text.replace('"status":"queued"', '"status":"asleep"')],
    ["of another format", (text) => text.replace('"format":6', '"format":"six"')],
  ];
  for (const [what, damage] of damages) {
    it(`names a job's file that is ${what}, and starts when that is mended`, () =>
      inPlace(async (place) => {
        const store = await place.open();
        const before = await keep(store.jobs, sampleJob(1));
        await store.close();
        const path = join(place.dir, fileOf(1));
        const text = fs.readFileSync(path, "utf8");
        fs.writeFileSync(path, damage(text));
        await expect(place.open()).rejects.toThrow(`${path} is damaged.`);
        // Someone who mends it by hand will have it in more lines than we write.
        fs.writeFileSync(path, JSON.stringify(JSON.parse(text), null, 2));
        const again = await place.open();
        expect(await again.jobs.load(jobId(1))).toEqual(before);
        await again.close();
      }));
  }

  it("mends a record of the first format, and writes it as one of today", () =>
    inPlace(async (place) => {
      const job = sampleJob(1, { settings: DEFAULT_REPOSITORY_SETTINGS });
      const store = await place.open();
      const row = { at: START, event: "created", from: null, to: "queued", by: null, note: null } as const;
      const before = await keep(store.jobs, job, { history: [row] });
      await store.close();
      const path = join(place.dir, fileOf(1));
      const { log_nth, ...text } = JSON.parse(fs.readFileSync(path, "utf8"));
      const { work, result, ...rest } = text.job;
      const { kind: runner, ...own } = work;
      text.job = { ...rest, ...own, runner, work: result };
      for (const name of ["handed_in", "progress_at", "callback_url"]) delete text.job[name];
      for (const name of ["forbidden_paths", "checkout_paths"]) delete text.job.settings[name];
      delete text.history[0].seq;
      const log = [{ seq: 1, at: "", level: "info", text: "a line" }];
      fs.writeFileSync(path, JSON.stringify({ ...text, format: 1, log }));
      const again = await place.open();
      expect(log_nth).toBe(0);
      expect(await again.jobs.load(jobId(1))).toMatchObject({ ...before, log_nth: 1 });
      expect(await again.jobLog.read(jobId(1))).toEqual({ nth: 1, lines: log });
      await keep(again.jobs, { ...job, notice: "on" });
      await again.close();
      const later = await place.open();
      expect((await later.jobLog.read(jobId(1)))?.lines).toEqual(log);
      await later.close();
      const written = JSON.parse(fs.readFileSync(path, "utf8"));
      const mended = {
        work: { kind: "actions", handed_in: null, progress_at: null },
        callback_url: null,
        notice: "on",
      };
      expect(written).toMatchObject({ format: 6, history: [{ seq: 1 }], job: mended });
    }));

  for (const [what, strange] of [
    ["a key of another version", { hurry: true }],
    ["a glob of another version", { forbidden_paths: ["+(a)"] }],
  ] as const)
    it(`starts with a repository whose settings hold ${what}, reads them again and opens nothing until then`, () =>
      inPlace(async (place) => {
        const store = await place.open();
        const commands = { allow: "admin" as const };
        const settings = { ...DEFAULT_REPOSITORY_SETTINGS, commands };
        const base = { branch: "main", head_sha: "a", tree_sha: "b", has_workflow: true };
        const known = {
          owner: "octo",
          name: "hello",
          id: 5,
          installation_id: 7,
          base,
          settings,
          settings_problem: null,
        };
        await observe(store.repositories, known);
        await store.close();
        const path = join(place.dir, "repositories", `${encodeURIComponent("octo/hello")}.json`);
        const text = JSON.parse(fs.readFileSync(path, "utf8"));
        fs.writeFileSync(
          path,
          JSON.stringify({ ...text, state: { ...text.state, settings: { ...text.state.settings, ...strange } } }),
        );
        const again = await place.open();
        expect(await again.repositories.get("octo", "hello")).toMatchObject({
          ...known,
          base: null,
          settings: { ...UNREAD_REPOSITORY_SETTINGS, commands },
        });
        await again.close();
      }));

  it("reads a job whose record is longer than the buffer of the scan", () =>
    inPlace(async (place) => {
      const store = await place.open();
      const before = await keep(store.jobs, sampleJob(1, { task: "é".repeat(400_000) }));
      await store.close();
      const again = await place.open();
      expect(await again.jobs.load(jobId(1))).toEqual(before);
      await again.close();
    }));

  for (const name of ["keys.json", "repositories/octo%2Fhello.json", "inbox/seen-00000001.json"]) {
    it(`names ${name} when that is damaged`, () =>
      inPlace(async (place) => {
        await (await place.open()).close();
        fs.writeFileSync(join(place.dir, name), "{}");
        await expect(place.open()).rejects.toThrow(`${join(place.dir, name)} is damaged.`);
      }));
  }
});

describe("a store says that it can be written to", () => {
  const faults: readonly (readonly [string, Partial<FileSystem>])[] = [
    ["a file cannot be made", { openSync: refusing(fs.openSync, (flags) => flags !== "r") as FileSystem["openSync"] }],
    ["nothing can be written", { writeSync: refusing(fs.writeSync) as FileSystem["writeSync"] }],
    ["a name cannot be changed", { renameSync: refusing(fs.renameSync) as FileSystem["renameSync"] }],
  ];

  it.each(faults)("until %s, and again when a write succeeds", (_what, fault) =>
    inPlace(async (place) => {
      const disk: FileSystem = { ...fs };
      const store = await place.open(undefined, disk);
      expect(await store.writable()).toBe(true);
      Object.assign(disk, fault);
      await expect(keep(store.jobs, sampleJob(1))).rejects.toThrow("Cannot write");
      expect(await store.writable()).toBe("renameSync" in fault);
      Object.assign(disk, fs);
      await keep(store.jobs, sampleJob(1));
      expect(await store.writable()).toBe(true);
      await store.close();
      expect(await store.writable()).toBe(false);
    }),
  );

  it("and tries it itself while nobody writes, but not at every question", () =>
    inPlace(async (place) => {
      let now = START;
      const disk: FileSystem = { ...fs };
      const store = await place.open(() => now, disk);
      disk.writeSync = refusing(fs.writeSync) as FileSystem["writeSync"];
      await expect(keep(store.jobs, sampleJob(1))).rejects.toThrow("Cannot write");
      expect(await store.writable()).toBe(false);
      Object.assign(disk, fs);
      expect(await store.writable()).toBe(false);
      now += 1_000;
      expect(await store.writable()).toBe(true);
      expect(filesIn(place.dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      await store.close();
    }));

  it("no more, once a folder could not be flushed: only a restart shows what it holds", () =>
    inPlace(async (place) => {
      const disk: FileSystem = { ...fs };
      const store = await place.open(undefined, disk);
      disk.fsyncSync = (fd) => {
        if (fs.fstatSync(fd).isDirectory()) throw noSpace();
      };
      await expect(keep(store.jobs, sampleJob(1))).rejects.toThrow("Check the disk");
      Object.assign(disk, fs);
      expect(await store.writable()).toBe(false);
      await store.close();
      const again = await place.open();
      expect(await again.writable()).toBe(true);
      await again.close();
    }));
});

/** The call, failing where `when` says so of its second argument. */
function refusing(call: (...given: never[]) => unknown, when: (second: unknown) => boolean = () => true) {
  return (...given: never[]) => {
    if (when(given[1])) throw noSpace();
    return call(...given);
  };
}
