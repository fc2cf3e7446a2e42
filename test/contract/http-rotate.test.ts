import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { keyViewSchema } from "../../src/http/admin/new-key.ts";
import { MAX_OVERLAPPING } from "../../src/http/admin/rotate-key.ts";
import { handClock } from "../flows/clock.ts";
import { startServer, type TestServer } from "./http-server.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const clock = handClock();
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ clock });
});
afterAll(() => server.close());

const newKey = keyViewSchema.extend({ key: z.string() });
const rotated = newKey.extend({ overlap_ends_at: z.string() });
type NewKey = z.infer<typeof newKey>;

const createKey = async (body: object = {}): Promise<NewKey> =>
  newKey.parse(
    (await server.ask("POST", "/api/keys", { body: { account: "octocat", repository: "*", ...body } })).body,
  );
const rotate = (id: string, body?: object, key?: string) =>
  server.ask("POST", `/api/keys/${id}/rotate`, { ...(body ? { body } : {}), ...(key ? { key } : {}) });
const opens = async ({ key }: { key: string }) =>
  (await server.ask("GET", "/api/jobs/status?job_id=zzzzzzzz", { key })).status === 404;

describe("a rotated key", () => {
  it("works on for a day beside one that is like it in all but the secret", async () => {
    const ends = new Date(clock.now() + 90 * DAY_MS).toISOString();
    const old = await createKey({ repository: "octo/demo", scopes: ["read"], expires_at: ends });
    const answer = await rotate(old.id);
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([201, "no-store"]);
    const next = rotated.parse(answer.body);
    expect(next).toMatchObject({ account: "octocat", repository: "octo/demo", scopes: ["read"], expires_at: ends });
    expect(next.key).not.toBe(old.key);
    expect([next.replaces, next.replaced_by]).toEqual([old.id, null]);
    const listed = z.array(keyViewSchema).parse((await server.ask("GET", "/api/keys")).body);
    expect(listed.find(({ id }) => id === old.id)).toMatchObject({
      replaced_by: next.id,
      expires_at: next.overlap_ends_at,
    });
    expect([await opens(old), await opens(next)]).toEqual([true, true]);
    clock.pass(23 * HOUR_MS);
    expect([await opens(old), await opens(next)]).toEqual([true, true]);
    clock.pass(HOUR_MS);
    expect([await opens(old), await opens(next)]).toEqual([false, true]);
  });

  it("ends at once with no overlap, and never later than it would have", async () => {
    const old = await createKey();
    const next = rotated.parse((await rotate(old.id, { overlap_seconds: 0 })).body);
    expect([await opens(old), await opens(next)]).toEqual([false, true]);
    const brief = await createKey({ expires_at: new Date(clock.now() + HOUR_MS).toISOString() });
    expect(rotated.parse((await rotate(brief.id)).body).overlap_ends_at).toBe(brief.expires_at);
  });

  it("cannot be rotated again: whoever has found it must not stay by it", async () => {
    const old = await createKey();
    const next = rotated.parse((await rotate(old.id)).body);
    const again = await rotate("self", {}, old.key);
    expect(again).toMatchObject({ status: 409, body: { code: "key_replaced" } });
    expect(JSON.stringify(again.body)).toContain(next.id);
    expect(await rotate(old.id)).toMatchObject({ status: 409, body: { code: "key_replaced" } });
    expect((await rotate(next.id)).status).toBe(201);
  });

  it.each([-1, 1.5, 2_592_001, "60", null])("refuses an overlap of %j", async (overlap_seconds) => {
    const old = await createKey();
    const answer = await rotate(old.id, { overlap_seconds });
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^overlap_seconds: /) } });
    expect(await opens(old)).toBe(true);
  });

  it("must exist and live, and its account must not have too many that overlap", async () => {
    expect(await rotate("0123456789ab")).toMatchObject({ status: 404, body: { code: "not_found" } });
    const brief = await createKey({ expires_at: new Date(clock.now() + HOUR_MS).toISOString() });
    clock.pass(HOUR_MS);
    expect(await rotate(brief.id)).toMatchObject({ status: 409, body: { code: "key_expired" } });
    let last = await createKey({ account: "looper" });
    for (let count = 0; count < MAX_OVERLAPPING; count++) last = rotated.parse((await rotate(last.id)).body);
    expect(await rotate(last.id)).toMatchObject({ status: 409, body: { code: "too_many_keys" } });
    clock.pass(DAY_MS);
    expect((await rotate(last.id)).status).toBe(201);
    const left = z.array(keyViewSchema).parse((await server.ask("GET", "/api/keys")).body);
    expect(left.filter(({ account }) => account === "looper")).toHaveLength(2);
  });

  it("takes what it was rotated to along when it is revoked, also past one that has ended and is gone", async () => {
    const [stolen, other] = [await createKey(), await createKey()];
    const second = rotated.parse((await rotate("self", {}, stolen.key)).body);
    const third = rotated.parse((await rotate("self", { overlap_seconds: 0 }, second.key)).body);
    const fourth = rotated.parse((await rotate("self", {}, third.key)).body);
    expect([await opens(stolen), await opens(second), await opens(fourth), await opens(other)]).toEqual([
      ...[true, false, true, true],
    ]);
    expect((await server.ask("DELETE", `/api/keys/${stolen.id}`)).status).toBe(204);
    expect([await opens(stolen), await opens(third), await opens(fourth), await opens(other)]).toEqual([
      ...[false, false, false, true],
    ]);
    const { entries } = await server.store.audit.list({ limit: 20 });
    const revoked = entries.filter(({ action }) => action === "key-revoked").map(({ target }) => target?.id);
    expect(revoked.sort()).toEqual([stolen.id, third.id, fourth.id].sort());
  });

  it("leaves the one before it alone when it is revoked", async () => {
    const old = await createKey();
    const next = rotated.parse((await rotate(old.id)).body);
    expect((await server.ask("DELETE", "/api/keys/self", { key: next.key })).status).toBe(204);
    expect([await opens(old), await opens(next)]).toEqual([true, false]);
  });

  it("is rotated by an admin or by itself, and by no other key", async () => {
    const [old, other] = [await createKey(), await createKey()];
    expect(await rotate(old.id, {}, other.key)).toMatchObject({ status: 403, body: { code: "missing_scope" } });
    const bound = await createKey({ scopes: ["admin"], repository: "octo/demo" });
    expect(await rotate(old.id, {}, bound.key)).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });
});

describe("whoever holds a key", () => {
  it("sees, rotates and revokes that very key, whatever its scopes", async () => {
    const old = await createKey({ scopes: ["work"] });
    const seen = await server.ask("GET", "/api/keys/self", { key: old.key });
    expect(seen).toMatchObject({ status: 200, body: { id: old.id, scopes: ["work"] } });
    expect(JSON.stringify(seen.body)).not.toContain(old.key);
    const next = rotated.parse((await rotate("self", { overlap_seconds: 60 }, old.key)).body);
    expect(next).toMatchObject({ scopes: ["work"], replaces: old.id });
    const revoke = () => server.ask("DELETE", "/api/keys/self", { key: next.key });
    expect([(await revoke()).status, (await revoke()).status]).toEqual([204, 401]);
    expect([(await server.ask("GET", "/api/keys/self", { key: old.key })).status, await opens(next)]).toEqual([
      200,
      false,
    ]);
  });

  it("has nothing of the kind when it is API_KEY", async () => {
    for (const [method, path] of [
      ["GET", "/api/keys/self"],
      ["POST", "/api/keys/self/rotate"],
      ["DELETE", "/api/keys/self"],
    ] as const)
      expect(await server.ask(method, path)).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });
});
