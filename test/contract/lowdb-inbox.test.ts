/** The inbox's journal: shared flushes, torn lines, full journals. */
import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PendingDelivery } from "../../src/engine/ports/inbox.ts";
import type { FileSystem } from "../../src/store/lowdb/disk.ts";
import { MAX_PENDING } from "../../src/store/lowdb/inbox.ts";
import { filesIn, inPlace, type LowdbPlace, noSpace } from "./store/lowdb-place.ts";
import { START } from "./store/sample.ts";

const delivery = (id: string, body = ""): PendingDelivery => ({
  id,
  at: START,
  event: {
    type: "label",
    repository: { owner: "octo", name: "hello", id: 1, installation_id: 7 },
    issue: { number: 1, title: "t", body, is_pull_request: false },
    author: "ada",
  },
});

/** A disk whose flushes of journals wait until they are let go. */
function slowDisk() {
  const waiting: ((error: Error | null) => void)[] = [];
  let flushes = 0;
  const disk: FileSystem = {
    ...fs,
    fdatasync: Object.assign((_fd: number, done: (error: NodeJS.ErrnoException | null) => void) => {
      flushes += 1;
      waiting.push(done);
    }, fs.fdatasync),
  };
  const answer = (error: Error | null) => {
    for (const done of waiting.splice(0)) done(error);
  };
  return { disk, answer, flushes: () => flushes };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const journalsIn = (place: LowdbPlace): string[] =>
  filesIn(join(place.dir, "inbox")).filter((name) => name.endsWith(".jsonl"));

describe("the journal of the inbox", () => {
  it("answers when the record is on the disk and not before, and the double of it neither", () =>
    inPlace(async (place) => {
      const { disk, answer } = slowDisk();
      const store = await place.open(undefined, disk);
      const answers: string[] = [];
      const both = [1, 2].map(() => store.inbox.record(delivery("a")).then((said) => answers.push(said)));
      for (let turns = 0; turns < 20; turns++) await turn();
      expect(answers).toEqual([]);
      expect(await store.inbox.pending()).toEqual([]);
      answer(null);
      await Promise.all(both);
      expect(answers.sort()).toEqual(["duplicate", "new"]);
      expect(await store.inbox.pending()).toEqual([delivery("a")]);
      await store.close();
    }));

  it("lets all that come at once share a flush, and all that come during one the next", () =>
    inPlace(async (place) => {
      const { disk, answer, flushes } = slowDisk();
      const store = await place.open(undefined, disk);
      const first = [1, 2].map((n) => store.inbox.record(delivery(`first ${n}`)));
      await expect.poll(flushes).toBe(1);
      const others = Array.from({ length: 50 }, (_, i) => store.inbox.record(delivery(`${i}`)));
      answer(null);
      await Promise.all(first);
      await expect.poll(flushes).toBe(2);
      answer(null);
      expect(await Promise.all(others)).toEqual(others.map(() => "new"));
      expect(flushes()).toBe(2);
      await store.close();
    }));

  it("takes a delivery back that could not be kept, and keeps it when it comes again", () =>
    inPlace(async (place) => {
      const disk: FileSystem = { ...fs };
      const store = await place.open(undefined, disk);
      await store.inbox.record(delivery("before"));
      for (const fault of ["writeSync", "fdatasync"] as const) {
        Object.assign(disk, {
          [fault]: (_fd: number, done: unknown) => {
            if (typeof done !== "function") throw noSpace();
            done(noSpace());
          },
        });
        await expect(store.inbox.record(delivery(fault))).rejects.toThrow("Cannot write");
        expect(await store.inbox.unknown([fault])).toEqual([fault]);
        Object.assign(disk, fs);
        expect(await store.inbox.record(delivery(fault))).toBe("new");
      }
      const expected = ["before", "fdatasync", "writeSync"];
      expect((await store.inbox.pending()).map(({ id }) => id).sort()).toEqual(expected);
      await store.close();
      const again = await place.open();
      expect((await again.inbox.pending()).map(({ id }) => id).sort()).toEqual(expected);
      await again.close();
    }));

  it("forgets a torn last line, and goes on behind the whole ones", () =>
    inPlace(async (place) => {
      let store = await place.open();
      await store.inbox.record(delivery("whole", "ü"));
      await store.close();
      const [name = ""] = journalsIn(place);
      fs.appendFileSync(join(place.dir, "inbox", name), '{"delivery":{"id":"torn","at":17');
      store = await place.open();
      expect((await store.inbox.pending()).map(({ id }) => id)).toEqual(["whole"]);
      expect(await store.inbox.record(delivery("torn"))).toBe("new");
      await store.close();
      store = await place.open();
      expect((await store.inbox.pending()).map(({ id }) => id)).toEqual(["whole", "torn"]);
      await store.close();
    }));

  it("stores an event under the name of the first version, and reads lines of that version", () =>
    inPlace(async (place) => {
      let store = await place.open();
      await store.inbox.record(delivery("new"));
      await store.close();
      const [name = ""] = journalsIn(place);
      const path = join(place.dir, "inbox", name);
      const { event: signal, ...old } = delivery("old");
      expect(fs.readFileSync(path, "utf8")).toContain(`"signal":${JSON.stringify(signal)}`);
      fs.appendFileSync(path, `${JSON.stringify({ delivery: { ...old, signal } })}\n`);
      store = await place.open();
      expect(await store.inbox.pending()).toEqual([delivery("new"), delivery("old")]);
      await store.close();
    }));

  it("names the file and the line when another line is damaged", () =>
    inPlace(async (place) => {
      const store = await place.open();
      for (const id of ["a", "b", "c"]) await store.inbox.record(delivery(id));
      await store.close();
      const path = join(place.dir, "inbox", journalsIn(place)[0] ?? "");
      const [first, , ...rest] = fs.readFileSync(path, "utf8").split("\n");
      fs.writeFileSync(path, [first, '{"delivery":', ...rest].join("\n"));
      await expect(place.open()).rejects.toThrow(`${path} (line 2) is damaged.`);
    }));

  it("keeps one journal and the ids alone, however many deliveries have come", () =>
    inPlace(async (place) => {
      const megabyte = "x".repeat(1024 * 1024);
      let store = await place.open();
      const ids = Array.from({ length: 30 }, (_, i) => `delivery-${i}`);
      for (const id of ids) {
        await store.inbox.record(delivery(id, megabyte));
        if (id !== "delivery-2") await store.inbox.done(id);
      }
      await store.close();
      expect(journalsIn(place)).toHaveLength(1);
      const bytes = filesIn(join(place.dir, "inbox")).map((name) => fs.statSync(join(place.dir, "inbox", name)).size);
      expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(10 * 1024 * 1024);
      store = await place.open();
      expect(await store.inbox.unknown(ids)).toEqual([]);
      expect((await store.inbox.pending()).map(({ id }) => id)).toEqual(["delivery-2"]);
      expect(await store.inbox.record(delivery("delivery-0"))).toBe("duplicate");
      await store.close();
    }));

  it("finds the same after a crash that left a full journal beside the next one", () =>
    inPlace(async (place) => {
      let store = await place.open();
      for (const id of ["a", "b", "c"]) await store.inbox.record(delivery(id));
      await store.inbox.done("a");
      await store.close();
      const inbox = join(place.dir, "inbox");
      fs.copyFileSync(join(inbox, "journal-00000001.jsonl"), join(inbox, "journal-00000002.jsonl"));
      fs.appendFileSync(join(inbox, "journal-00000002.jsonl"), '{"done":"b"}\n');
      for (const _ of [1, 2]) {
        store = await place.open();
        expect((await store.inbox.pending()).map(({ id }) => id)).toEqual(["c"]);
        expect(await store.inbox.unknown(["a", "b", "c"])).toEqual([]);
        await store.close();
      }
      expect(journalsIn(place)).toEqual(["journal-00000002.jsonl"]);
    }));

  it("does not know a delivery that could not be kept, also after its journal was full", () =>
    inPlace(async (place) => {
      const disk: FileSystem = { ...fs };
      const store = await place.open(undefined, disk);
      Object.assign(disk, { fdatasync: (_fd: number, done: (error: Error) => void) => done(noSpace()) });
      await expect(store.inbox.record(delivery("lost"))).rejects.toThrow("Cannot write");
      Object.assign(disk, fs);
      const megabyte = "x".repeat(1024 * 1024);
      for (let i = 0; i < 12; i++) await store.inbox.record(delivery(`${i}`, megabyte));
      await store.close();
      expect(journalsIn(place)).toEqual(["journal-00000002.jsonl"]);
      const again = await place.open();
      expect(await again.inbox.unknown(["0"])).toEqual([]);
      expect(await again.inbox.unknown(["lost"])).toEqual(["lost"]);
      await again.close();
    }));

  it("takes no more than it can hold in memory until some are done", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await Promise.all(Array.from({ length: MAX_PENDING }, (_, i) => store.inbox.record(delivery(`${i}`))));
      await expect(store.inbox.record(delivery("more"))).rejects.toThrow("Too many deliveries");
      await store.inbox.done("0");
      expect(await store.inbox.record(delivery("more"))).toBe("new");
      await store.close();
    }));
});
