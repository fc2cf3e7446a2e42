/**
 * Data of other versions: a folder that version 0.1.0 left (`test/fixtures/data-0.1.0`) is read by today's store and
 * served by today's server; records of a later version are reported as newer, not as damaged.
 */
import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UNREAD_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import type { Job, JobId } from "../../src/domain/job/job.ts";
import { jobSchema } from "../../src/domain/job/schema.ts";
import { ADDED_IN_6, ADDED_TO_ACTIONS_IN_6 } from "../../src/domain/job/upcasts.ts";
import { spentOf } from "../../src/domain/job/usage.ts";
import { type UsageRow, usageReport } from "../../src/domain/usage/report.ts";
import { KINDS, type Kind } from "../../src/store/lowdb/formats.ts";
import { jobFormat } from "../../src/store/lowdb/job-file.ts";
import { startHarness } from "../flows/harness.ts";
import { begin, led, TO_PULL_REQUEST } from "../unit/job-fixtures.ts";
import { inPlace, type LowdbPlace } from "./store/lowdb-place.ts";
import { jobId, keep } from "./store/sample.ts";

const OLD = new URL("../fixtures/data-0.1.0", import.meta.url).pathname;
/** A moment after its last line. */
const THEN = 1_796_030_260_000;

const MERGED = jobId("dqdk0mza");
const FAILED = jobId("75od1aeg");
const PAID = jobId("u0x5zau4");
const OFFERED = jobId("cqk3xyuj");
const RUNNING = jobId("duawdwhi");

const inOldPlace = (use: (place: LowdbPlace) => Promise<void>): Promise<void> =>
  inPlace(async (place) => {
    fs.cpSync(OLD, place.dir, { recursive: true });
    await use(place);
  });

describe("the data of version 0.1.0", () => {
  it("is read whole", () =>
    inOldPlace(async (place) => {
      const store = await place.open(() => THEN);
      const job = async (id: JobId) => (await store.jobs.load(id)) ?? { job: null, history: [] };
      expect(await store.jobs.count()).toBe(8);
      expect((await job(MERGED)).job).toMatchObject({ status: "verified", merged_at: 1_796_030_205_684 });
      expect((await store.jobLog.read(MERGED))?.lines).toHaveLength(11);
      expect((await job(FAILED)).job).toMatchObject({ status: "failed", work: { old_workflow: false } });
      expect((await job(OFFERED)).job).toMatchObject({ status: "queued", work: { kind: "market" }, price_cents: 500 });
      const anybody = { agent_id: "x", skills: [], repository: null };
      expect((await store.jobs.claim(anybody))?.id).toBe(OFFERED);
      expect(await store.jobs.balance("user:ada")).toBe(500);
      expect(await store.jobs.balance("user:bob")).toBe(350);
      const keys = await store.keys.list();
      expect(keys.map(({ account }) => account)).toEqual(["ada", "bob"]);
      expect(keys[0]).toMatchObject({ repository_id: null, login: null, replaced_by: null });
      expect(await store.agents.list("bob")).toMatchObject([{ skills: ["typescript"] }]);
      expect(await store.quotes.byId("2922b6b23ea47f1e36128709")).toMatchObject({ account: "ada", price_cents: 500 });
      const [blob] = await store.blobs.all();
      expect(blob).toMatchObject({ job: OFFERED });
      expect(await store.blobs.get(OFFERED, blob?.name ?? "")).not.toBeNull();
      const [subscription] = await store.subscriptions.list("ada");
      expect(await store.outgoing.list({ subscription: subscription?.id ?? "", limit: 50 })).toMatchObject({
        deliveries: expect.arrayContaining([expect.objectContaining({ event: "job.created", job: PAID })]),
      });
      expect(await store.inbox.unknown(["550f672d-d6c9-49ad-bbcc-d24022b372a9"])).toEqual([]);
      const scope = "35fa7360e711cd157ee5aa832e9cfafd248eb7934f45524ac37d5cdf447f96df";
      const again = { scope, at: THEN, fingerprint: "another", work_id: jobId(1) };
      expect(await store.idempotency.begin(again)).toEqual({ kind: "other_body" });
      expect((await store.audit.list({ limit: 50 })).entries).toHaveLength(17);
      expect(await store.repositories.get("octo", "demo")).toMatchObject({
        base: { branch: "main" },
        settings: { commands: { allow: "write" }, market: { enabled: false } },
      });
      await store.close();
    }));

  it("says what its jobs have cost, once however often it is opened", () =>
    inOldPlace(async (place) => {
      const totals: UsageRow[] = [];
      for (let start = 0; start < 2; start++) {
        const store = await place.open(() => THEN);
        const { jobs } = await store.jobs.list({ limit: 50 });
        const report = await usageReport(store.spending.usage({ from: 0, to: 1_000_000 }), "requester");
        expect(report.total).toMatchObject({
          jobs: 8,
          merged: jobs.filter(({ merged_at }) => merged_at !== null).length,
        });
        const cents = jobs.reduce((sum, job) => sum + spentOf(job).cost_cents, 0);
        expect(cents).toBeGreaterThan(0);
        expect(report.total.cents + report.total.estimated_cents).toBeCloseTo(cents, 1);
        totals.push(report.total);
        await store.close();
      }
      expect(totals[1]).toEqual(totals[0]);
    }));

  it("is read with settings that hold keys which nobody here knows", () =>
    inOldPlace(async (place) => {
      const path = join(place.dir, "repositories", "octo%2Fdemo.json");
      const known = JSON.parse(fs.readFileSync(path, "utf8"));
      known.settings.hurry = true;
      known.settings.commands = { allow: "admin", whom: "everybody" };
      fs.writeFileSync(path, JSON.stringify(known));
      const store = await place.open(() => THEN);
      const commands = { allow: "admin" };
      expect(await store.repositories.get("octo", "demo")).toMatchObject({
        base: null,
        settings: { ...UNREAD_REPOSITORY_SETTINGS, commands },
      });
      await store.close();
    }));

  /** A field that is missing here needs another format number, and its value in `src/domain/job/upcasts.ts`. */
  it("has every field in its jobs that a job of today has", () =>
    inOldPlace(async (place) => {
      const store = await place.open(() => THEN);
      const today = led(begin(), ...TO_PULL_REQUEST);
      for (const { id } of (await store.jobs.list({ limit: 50 })).jobs) {
        const old = (await store.jobs.load(id))?.job;
        expect([id, missingIn(old, today)]).toEqual([id, []]);
        expect(jobSchema.parse(old)).toMatchObject({ id });
      }
      await store.close();
    }));

  it("is served, and written as today's when something changes", async () => {
    const harness = await startHarness({ data: OLD });
    const status = async (id: JobId) => (await harness.request(`/api/jobs/status?job_id=${id}`)).json();
    expect(await status(MERGED)).toMatchObject({ status: "merged", log: expect.stringContaining("HELLO.md") });
    expect(await status(FAILED)).toMatchObject({ status: "failed" });
    expect(await (await harness.request("/ready")).json()).toMatchObject({ ready: true });
    const ended = await harness.app.engine.handle(RUNNING, { type: "discard", by: { account: "ada", login: "ada" } });
    expect(ended).toMatchObject({ ok: true, job: { status: "cancelled" } });
    await harness.restart();
    expect((await harness.app.store.jobs.load(RUNNING))?.job.status).toBe("cancelled");
  });
});

/** Where the core itself says what is meant while they are absent. */
const MAY_BE_ABSENT = ["result.notes"];

/** Names of what stands in the second and not in the first, however deep. */
function missingIn(old: unknown, today: unknown, path: readonly string[] = []): string[] {
  // of two kinds of one thing, each has fields of its own
  if (!isPlain(old) || !isPlain(today) || old.kind !== today.kind || old.state !== today.state) return [];
  return Object.entries(today).flatMap(([name, value]) => {
    const at = [...path, name];
    if (!(name in old)) return MAY_BE_ABSENT.includes(at.join(".")) ? [] : [at.join(".")];
    return missingIn(old[name], value, at);
  });
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A file that holds each kind; null: it had none yet, or what cannot be read of it is left out, newer or damaged. */
const FILES: Readonly<Record<Kind, string | null>> = {
  job: "jobs/dqdk0mza.json",
  keys: "keys.json",
  accounts: "accounts/accounts.jsonl",
  "account budgets": null,
  agents: "agents/bob.json",
  audit: null,
  delivery: "inbox/journal-00000001.jsonl",
  idempotency: "idempotency/requests-00000001.jsonl",
  "outgoing delivery": "outgoing/journal-00000001.jsonl",
  quote: "quotes/1796030227749-2922b6b23ea47f1e36128709.json",
  repository: "repositories/octo%2Fdemo.json",
  "seen deliveries": "inbox/seen-00000001.json",
  spending: "spending/kept.jsonl",
  subscription: "subscriptions/wh_0UChVWQisZCk.json",
  usage: "usage/journal-00000001.jsonl",
  wallet: "wallet/wallet.jsonl",
};

const without = <T extends object>(whole: T, fields: object): T =>
  Object.assign(Object.create(null), Object.fromEntries(Object.entries(whole).filter(([name]) => !(name in fields))));

describe("a job of format 5", () => {
  it.each(["as it was written", "mended by hand"])("is found and read as one of today, %s", (how) =>
    inPlace(async (place) => {
      const today = { ...led(begin(), ...TO_PULL_REQUEST), id: jobId(1), reserved: null };
      const before = await place.open();
      await keep(before.jobs, today);
      await before.close();
      const path = join(place.dir, "jobs", `${today.id}.json`);
      const record = jobFormat.parse(fs.readFileSync(path, "utf8"));
      const job: Job = without(record.job, ADDED_IN_6);
      const old = jobFormat.write({ ...record, job: { ...job, work: without(job.work, ADDED_TO_ACTIONS_IN_6) } });
      const text = old.replace(/^\{"format":\d+/, '{"format":5');
      fs.writeFileSync(path, how === "mended by hand" ? JSON.stringify(JSON.parse(text)) : text);
      const store = await place.open();
      expect((await store.jobs.load(today.id))?.job).toEqual(today);
      expect(await store.jobs.openIn("octo/demo")).toEqual([today]);
      expect((await store.jobs.list({ outcome: "merged", limit: 9 })).jobs).toEqual([]);
      await store.close();
    }),
  );
});

describe("data of a version that is still to come", () => {
  it.each(KINDS.flatMap((kind) => FILES[kind] ?? []))("is called newer in %s, and nothing is changed", (name) =>
    inOldPlace(async (place) => {
      const path = join(place.dir, name);
      fs.mkdirSync(join(path, ".."), { recursive: true });
      const before = fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "{}\n";
      const newer = before.startsWith('{"format":2,')
        ? before.replace('"format":2', '"format":99')
        : before.replace("{", '{"format":99,"x":0,').replace(',"x":0,}', "}");
      fs.writeFileSync(path, newer);
      await expect(place.open(() => THEN)).rejects.toThrow("was written by a newer version of Journeyman.");
      expect(fs.readFileSync(path, "utf8")).toBe(newer);
    }),
  );
});
