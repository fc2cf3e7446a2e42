/** Attachment blobs: what they cost at the start, and that unused ones are deleted. */
import fs from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ANY } from "../../src/engine/ports/work-queue.ts";
import { createAttachmentSweeper, SECOND_LOOK_MS, SWEPT_EVERY_MS } from "../../src/engine/unused-attachments.ts";
import type { FileSystem } from "../../src/store/lowdb/disk.ts";
import { stillClock } from "../flows/clock.ts";
import { withIdle } from "../worked-queue.ts";
import { inPlace, noSpace } from "./store/lowdb-place.ts";
import { jobId, keep, onMarket, sampleJob } from "./store/sample.ts";

it("learns at its start how large all of them are, and opens none", () =>
  inPlace(async (place) => {
    await (await place.open()).close();
    const paths = [1, 2, 3].map((id) => join(place.dir, "parcels", `${jobId(id)}-${String(id).repeat(32)}.parcel`));
    for (const path of paths) fs.writeFileSync(path, "x".repeat(100_000));
    const opened: string[] = [];
    const disk: FileSystem = {
      ...fs,
      openSync: (path, flags, mode) => {
        opened.push(String(path));
        return fs.openSync(path, flags, mode);
      },
      readFileSync: ((path: string, encoding: "utf8") => {
        opened.push(path);
        return fs.readFileSync(path, encoding);
      }) as FileSystem["readFileSync"],
    };
    const store = await place.open(undefined, disk);
    expect(opened.filter((path) => path.endsWith(".parcel"))).toEqual([]);
    expect(await store.blobs.all()).toHaveLength(3);
    await store.close();
  }));

it("go while the server runs, once no job has named them twice in a row", () =>
  inPlace(async (place) => {
    const clock = stillClock();
    const removals: string[] = [];
    const names = ["a", "b", "c"].map((letter) => letter.repeat(32));
    const [kept = "", failing = "", coming = ""] = names;
    const put = (name: string): void =>
      fs.writeFileSync(join(place.dir, "parcels", `${jobId(1)}-${name}.parcel`), "text");
    await (await place.open()).close();
    put(kept);
    const store = await place.openOn(clock);
    await keep(
      store.jobs,
      sampleJob(1, onMarket({ enclosure: { parcel: kept, attachments: [], has_env_vars: false } })),
    );
    let refuses = true;
    const unnamed = new Set<string>();
    const blobs = {
      ...store.blobs,
      all: async () => [...(await store.blobs.all()), ...[...unnamed].map((name) => ({ job: jobId(1), name }))],
      remove: async (_job: unknown, gone: readonly string[]) => {
        if (refuses) throw noSpace();
        removals.push(...gone);
        for (const name of gone) unnamed.delete(name);
      },
    };
    const { one, all } = createAttachmentSweeper({ blobs, jobs: store.jobs, queue: store.queue, clock });
    const handlers = withIdle({ attachment: one, attachments: all });
    const work = await store.queue.work(handlers, () => undefined);
    const pass = async (ms = 0): Promise<void> => {
      clock.pass(ms);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    unnamed.add(failing);
    await store.queue.schedule([{ kind: "attachments", key: ANY }]);
    await pass();
    expect(removals, "one may be about to be named").toEqual([]);
    unnamed.add(coming);
    await pass(SECOND_LOOK_MS);
    expect(removals).toEqual([]);
    refuses = false;
    await pass(SECOND_LOOK_MS);
    expect(removals.toSorted()).toEqual([failing, coming]);
    unnamed.add(failing);
    await pass(SWEPT_EVERY_MS);
    await pass(SECOND_LOOK_MS);
    expect(removals).toHaveLength(3);
    await work[Symbol.asyncDispose]();
    unnamed.add(coming);
    await pass(2 * SWEPT_EVERY_MS);
    expect(removals).toHaveLength(3);
    await store.close();
  }));
