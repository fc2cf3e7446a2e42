/** The contract of the audit log. */
import { describe, expect, it } from "vitest";
import type { AuditEntry, AuditFilter, AuditLog } from "../../../src/engine/ports/audit.ts";
import { type Engine, jobId, START, withStore } from "./sample.ts";

const DAY_MS = 86_400_000;

export const entry = (n: number, differs: Partial<AuditEntry> = {}): AuditEntry => ({
  at: START + n,
  account: "ada",
  login: null,
  key_id: "0123456789ab",
  address: "192.0.2.1",
  request_id: `request-${n}`,
  action: "cancel",
  target: { type: "job", id: jobId(1) },
  repository: "Octo/Hello",
  outcome: "done",
  ...differs,
});

/** Every page, one after the other, with how often was asked. */
export async function walk(audit: AuditLog, filter: AuditFilter): Promise<{ found: string[]; pages: number }> {
  const found: string[] = [];
  let [cursor, pages]: [string | null, number] = [null, 0];
  do {
    const page = await audit.list({ ...filter, ...(cursor === null ? {} : { cursor }) });
    expect(page.entries.length).toBeLessThanOrEqual(filter.limit);
    found.push(...page.entries.map(({ request_id }) => request_id ?? ""));
    [cursor, pages] = [page.cursor, pages + 1];
  } while (cursor !== null);
  return { found, pages };
}

const named = (...numbers: number[]): string[] => numbers.map((n) => `request-${n}`);

export function describeAudit(engine: Engine): void {
  describe(`the audit log of ${engine.name}`, () => {
    it("answers what was added, as it was added, newest first, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        const strange = entry(2, { account: null, login: "Ada", key_id: null, target: null, repository: null });
        await store.audit.add(entry(1));
        await store.audit.add(strange);
        expect(await store.audit.list({ limit: 9 })).toEqual({ entries: [strange, entry(1)], cursor: null });
        const { audit } = await reopen();
        await audit.add(entry(3, { outcome: "wrong_status" }));
        const { entries } = await audit.list({ limit: 9 });
        expect(entries).toEqual([entry(3, { outcome: "wrong_status" }), strange, entry(1)]);
      }));

    it("answers in pages that meet, over days, also while more is added", () =>
      withStore(engine, async ({ audit }) => {
        for (let n = 0; n < 7; n++) await audit.add(entry(n, { at: START + Math.floor(n / 3) * DAY_MS + n }));
        expect(await walk(audit, { limit: 2 })).toEqual({ found: named(6, 5, 4, 3, 2, 1, 0), pages: 4 });
        expect(await walk(audit, { limit: 7 })).toEqual({ found: named(6, 5, 4, 3, 2, 1, 0), pages: 1 });
        const { cursor } = await audit.list({ limit: 2 });
        await audit.add(entry(7, { at: START + 2 * DAY_MS + 8 }));
        const next = await audit.list({ limit: 2, cursor: cursor ?? "" });
        expect(next.entries.map(({ request_id }) => request_id)).toEqual(named(4, 3));
      }));

    it("finds by job, account, key, repository and time, and by several of them", () =>
      withStore(engine, async ({ audit }) => {
        await audit.add(entry(0));
        await audit.add(entry(1, { target: { type: "job", id: jobId(2) } }));
        await audit.add(entry(2, { account: "bob", key_id: null }));
        // an id is looked for where it is the target alone
        await audit.add(entry(3, { target: { type: "key", id: jobId(1) }, repository: null }));
        await audit.add(entry(4, { repository: "octo/other", key_id: jobId(1) }));
        const found = async (filter: Partial<AuditFilter>) => (await walk(audit, { limit: 9, ...filter })).found;
        expect(await found({ job_id: jobId(1) })).toEqual(named(4, 2, 0));
        expect(await found({ account: "BOB" })).toEqual(named(2));
        expect(await found({ key_id: "0123456789ab" })).toEqual(named(3, 1, 0));
        expect(await found({ repository: "OCTO/hello" })).toEqual(named(2, 1, 0));
        expect(await found({ since: START + 2 })).toEqual(named(4, 3, 2));
        expect(await found({ job_id: jobId(1), account: "ada", since: START + 1 })).toEqual(named(4));
        expect(await found({ job_id: jobId(9) })).toEqual([]);
      }));

    it("answers nothing for a cursor that is none", () =>
      withStore(engine, async ({ audit }) => {
        await audit.add(entry(1));
        for (const cursor of ["", "nonsense", Buffer.from("2026-01-01.x").toString("base64url")])
          expect(await audit.list({ limit: 9, cursor })).toEqual({ entries: [], cursor: null });
      }));

    it("keeps an entry for 400 days and not for ever", () => {
      const time = { now: START };
      return withStore(
        engine,
        async ({ audit }, reopen) => {
          await audit.add(entry(0));
          time.now = START + 400 * DAY_MS;
          expect((await (await reopen()).audit.list({ limit: 9 })).entries).toHaveLength(1);
          time.now = START + 402 * DAY_MS;
          expect((await (await reopen()).audit.list({ limit: 9 })).entries).toEqual([]);
        },
        () => time.now,
      );
    });
  });
}
