import fs from "node:fs";
import { expect, it } from "vitest";
import { charge, credit, userAccount } from "../../src/domain/market/ledger.ts";
import { inPlace } from "./store/lowdb-place.ts";
import { commitOf, jobId, START, sampleJob } from "./store/sample.ts";

const ADA = userAccount("ada");
const entry = { id: "a", at: START, postings: credit("ada", 100), note: null };

it("lets nobody spend money that is not on the disk yet", () =>
  inPlace(async (place) => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const fileSystem = {
      ...fs,
      fdatasync: ((fd: number, done: fs.NoParamCallback) => {
        void held.then(() => fs.fdatasync(fd, done));
      }) as typeof fs.fdatasync,
    };
    const store = await place.open(() => START, fileSystem);
    const posting = store.wallet.post(entry);
    const spend = () => store.jobs.commit(commitOf(sampleJob(1), 0, { postings: charge("ada", jobId(1), 60) }));
    expect(await spend()).toMatchObject({ ok: false, why: "insufficient" });
    release();
    expect(await posting).toBe("posted");
    expect(await spend()).toMatchObject({ ok: true });
    await store.close();
  }));

it("books nothing that the disk did not take, and takes it when it is sent again", () =>
  inPlace(async (place) => {
    let broken = true;
    const fileSystem = {
      ...fs,
      fdatasync: ((fd: number, done: fs.NoParamCallback) =>
        broken ? done(new Error("EIO")) : fs.fdatasync(fd, done)) as typeof fs.fdatasync,
    };
    const store = await place.open(() => START, fileSystem);
    await expect(store.wallet.post(entry)).rejects.toThrow("Cannot write");
    expect(await store.wallet.balance(ADA)).toBe(0);
    broken = false;
    expect(await store.wallet.post(entry)).toBe("posted");
    await store.close();
    const again = await place.open();
    expect([await again.wallet.post(entry), await again.wallet.balance(ADA)]).toEqual(["known", 100]);
    await again.close();
  }));

it("refuses to start on a damaged line, and names it; a torn last line was never acknowledged", () =>
  inPlace(async (place) => {
    const store = await place.open();
    await store.wallet.post(entry);
    await store.close();
    const path = `${place.dir}/wallet/wallet.jsonl`;
    fs.appendFileSync(path, '{"id":"b","at":1,"postings":[');
    const torn = await place.open();
    expect(await torn.wallet.balance(ADA)).toBe(100);
    await torn.wallet.post({ ...entry, id: "c" });
    await torn.close();
    fs.appendFileSync(path, "nonsense\n");
    await expect(place.open()).rejects.toThrow("wallet.jsonl (line 3) is damaged");
  }));
