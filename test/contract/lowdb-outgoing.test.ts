/** The journals of outgoing deliveries, beyond the contract: bounded files, torn lines, a failing disk. */
import fs from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { NewDelivery } from "../../src/engine/ports/outgoing-deliveries.ts";
import type { FileSystem } from "../../src/store/lowdb/disk.ts";
import { MAX_PENDING_DELIVERIES } from "../../src/store/lowdb/outgoing.ts";
import { filesIn, inPlace, noSpace } from "./store/lowdb-place.ts";
import { START } from "./store/sample.ts";

const DAY = 24 * 3_600_000;
const WELL = { at: START, took_ms: 1, status: 204, error: null };

const delivery = (id: string, differs: Partial<NewDelivery> = {}): NewDelivery => ({
  ...{ id, subscription: "wh_a", url: null, event: "job.created", job: null, at: START },
  body: `about ${id}`,
  ...differs,
});

const journals = (dir: string): string[] => filesIn(dir).filter((file) => file.startsWith("outgoing/journal"));

it("lets go of old journals, and moves what is still to be sent on to the newest", () =>
  inPlace(async (place) => {
    const time = { now: START };
    const store = await place.open(() => time.now);
    const { outgoing } = store;
    const big = "x".repeat(1024 * 1024);
    await outgoing.record([delivery("waits")]);
    for (let index = 0; index < 20; index++) {
      await outgoing.record([delivery(`old ${index}`, { body: `${index}${big}` })]);
      await outgoing.attempted(`old ${index}`, WELL, { state: "delivered", at: null });
    }
    expect(journals(place.dir).length).toBeGreaterThan(1);
    time.now = START + 8 * DAY;
    for (let index = 0; index < 10; index++)
      await outgoing.record([delivery(`new ${index}`, { at: time.now, body: `${index}${big}` })]);
    await store.close();
    const size = journals(place.dir).reduce((sum, file) => sum + fs.statSync(join(place.dir, file)).size, 0);
    expect(size).toBeLessThan(20 * 1024 * 1024);
    const later = await place.open(() => time.now);
    expect(await later.outgoing.body("waits")).toBe("about waits");
    expect((await later.outgoing.get("waits"))?.state).toBe("pending");
    expect(await later.outgoing.body("new 9")).toBe(`9${big}`);
    expect(await later.outgoing.body("old 0")).toBeNull();
    await later.close();
  }));

it("reads past a line that a crash has torn, and writes on behind it", () =>
  inPlace(async (place) => {
    const store = await place.open();
    await store.outgoing.record([delivery("a")]);
    await store.close();
    const [journal = ""] = journals(place.dir);
    fs.appendFileSync(join(place.dir, journal), '{"deliveries":[{"id":"torn"');
    const again = await place.open();
    expect(await again.outgoing.get("torn")).toBeNull();
    await again.outgoing.record([delivery("b")]);
    await again.close();
    const last = await place.open();
    for (const id of ["a", "b"]) expect(await last.outgoing.body(id)).toBe(`about ${id}`);
    await last.close();
  }));

it("names the journal that is damaged in its middle instead of going on without it", () =>
  inPlace(async (place) => {
    const store = await place.open();
    await store.outgoing.record([delivery("a")]);
    await store.close();
    const [journal = ""] = journals(place.dir);
    fs.appendFileSync(join(place.dir, journal), "what is this\n");
    await expect(place.open()).rejects.toThrow(/outgoing\/journal-00000001.jsonl \(line 2\) is damaged/);
  }));

it("knows nothing of what the disk has not kept, and takes it when it is brought again", () =>
  inPlace(async (place) => {
    let full = false;
    const fileSystem: FileSystem = {
      ...fs,
      fdatasync: ((fd: number, done: (error: Error | null) => void) => {
        if (full) setImmediate(done, noSpace());
        else fs.fdatasync(fd, done);
      }) as FileSystem["fdatasync"],
    };
    const store = await place.open(undefined, fileSystem);
    await store.outgoing.record([delivery("a")]);
    full = true;
    await expect(store.outgoing.record([delivery("b")])).rejects.toThrow("Cannot write");
    expect(await store.outgoing.get("b")).toBeNull();
    full = false;
    expect(await store.outgoing.record([delivery("b")])).toHaveLength(1);
    expect(await store.outgoing.body("b")).toBe("about b");
    await store.close();
    const again = await place.open();
    expect(await again.outgoing.body("a")).toBe("about a");
    expect(await again.outgoing.pending()).toHaveLength(2);
    await again.close();
  }));

it("takes no more than may wait", () =>
  inPlace(async (place) => {
    const store = await place.open();
    const many = Array.from({ length: MAX_PENDING_DELIVERIES }, (_, index) => delivery(`${index}`, { body: "{}" }));
    await store.outgoing.record(many);
    await expect(store.outgoing.record([delivery("one more")])).rejects.toThrow("Too many deliveries");
    await store.outgoing.attempted("7", WELL, { state: "delivered", at: null });
    expect(await store.outgoing.record([delivery("one more")])).toHaveLength(1);
    await store.close();
  }));
