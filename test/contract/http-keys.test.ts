import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { keyViewSchema } from "../../src/http/admin/new-key.ts";
import { WRITES_PER_MINUTE } from "../../src/http/routing/limits.ts";
import { startServer, type TestServer } from "./http-server.ts";
import { forget, observe } from "./observed-repositories.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const newKey = keyViewSchema.extend({ key: z.string() });
const DAY_MS = 86_400_000;

const createKey = async (body: object) =>
  newKey.parse((await server.ask("POST", "/api/keys", { body: { repository: "*", ...body } })).body);
const list = async () => z.array(keyViewSchema).parse((await server.ask("GET", "/api/keys")).body);
const read = (key: string) => server.ask("GET", "/api/jobs/status?job_id=zzzzzzzz", { key });

describe("API keys", () => {
  it("are shown once, with read, write and work unless scopes are named", async () => {
    const made = await createKey({ account: "octocat" });
    expect(made.key).toMatch(/^jm_[A-Za-z0-9_-]{43}$/);
    expect(made).toMatchObject({ account: "octocat", repository: null, scopes: ["read", "write", "work"] });
    const listed = await server.ask("GET", "/api/keys");
    expect(JSON.stringify(listed.body)).not.toContain(made.key);
    expect((await list()).map((key) => key.id)).toContain(made.id);
  });

  it("are bound to a repository of a company-managed account, too", async () => {
    const made = await createKey({ account: "ada_octo", repository: "ada_octo/hello" });
    expect(made).toMatchObject({ account: "ada_octo", repository: "ada_octo/hello" });
  });

  it("are stored as a hash alone", async () => {
    const { key, id } = await createKey({ account: "octocat" });
    const stored = (await server.store.keys.list()).find((one) => one.id === id);
    expect(JSON.stringify(stored)).not.toContain(key);
    expect(stored?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("open until they are revoked, and not a moment longer", async () => {
    const { key, id } = await createKey({ account: "octocat" });
    expect((await read(key)).status).toBe(404);
    expect((await server.ask("DELETE", `/api/keys/${id}`)).status).toBe(204);
    expect((await read(key)).status).toBe(401);
    expect((await server.ask("DELETE", `/api/keys/${id}`)).status).toBe(404);
  });

  it("remember when they were last used", async () => {
    const { key, id } = await createKey({ account: "octocat" });
    await read(key);
    expect((await list()).find((one) => one.id === id)?.last_used_at).not.toBeNull();
  });

  it("do not open after they have expired", async () => {
    const { key, id } = await createKey({
      account: "octocat",
      expires_at: new Date(Date.now() + DAY_MS).toISOString(),
    });
    expect((await read(key)).status).toBe(404);
    const stored = (await server.store.keys.list()).find((one) => one.id === id);
    if (stored === undefined) throw new Error("the key was not stored");
    await server.store.keys.remove(id);
    await server.store.keys.add({ ...stored, expires_at: Date.now() - 1 });
    expect((await read(key)).status).toBe(401);
  });

  it("are managed by admins alone, and not by an admin key that is bound to a repository", async () => {
    const plain = await createKey({ account: "octocat" });
    const admin = await createKey({ account: "octocat", scopes: ["admin"] });
    const bound = await createKey({ account: "octocat", scopes: ["admin"], repository: "octocat/hello" });
    const status = async (key: string) => (await server.ask("GET", "/api/keys", { key })).status;
    expect([await status(plain.key), await status(admin.key), await status(bound.key)]).toEqual([403, 200, 403]);
    const body = { account: "octocat", repository: "*" };
    expect((await server.ask("POST", "/api/keys", { key: plain.key, body })).status).toBe(403);
    expect((await server.ask("POST", "/api/keys", { key: bound.key, body })).status).toBe(403);
    expect((await server.ask("DELETE", `/api/keys/${plain.id}`, { key: bound.key })).status).toBe(403);
    expect((await read(plain.key)).status).toBe(404);
  });

  it("follow the repository that they are bound to, and open nothing when another has its name", async () => {
    const known = {
      owner: "octo",
      name: "old",
      installation_id: 1,
      base: null,
      settings: null,
      settings_problem: null,
    };
    const { repositories } = server.store;
    await observe(repositories, { ...known, id: 700 });
    const { key, id } = await createKey({ account: "octo", repository: "octo/old" });
    const create = async (repository?: string) =>
      (await server.ask("POST", "/api/create-job", { key, body: { job: "say hello", repository } })).status;
    expect(await create()).toBe(200);
    expect((await list()).find((one) => one.id === id)).toMatchObject({ repository: "octo/old" });
    await forget(repositories, "octo", "old");
    await observe(repositories, { ...known, name: "new", id: 700 });
    expect([await create(), await create("octo/new"), await create("octo/old")]).toEqual([200, 200, 403]);
    await forget(repositories, "octo", "new");
    expect(await create("octo/old")).toBe(403);
    await forget(repositories, "octo", "old");
    expect((await server.ask("GET", "/api/repositories/octo/old/health", { key })).status).toBe(403);
    await observe(repositories, { ...known, id: 701 });
    expect(await create()).toBe(401);
    const { entries } = await server.store.audit.list({ limit: 50, key_id: id });
    expect(entries.filter(({ action }) => action === "key-tied")).toHaveLength(1);
  });

  it("with admin and a repository reach nothing that is the whole server's", async () => {
    const { key } = await createKey({ account: "octocat", scopes: ["admin"], repository: "octocat/hello" });
    const routes = server.routes.filter(({ scope }) => scope === "admin");
    expect(routes.map(({ operation }) => operation)).toEqual(expect.arrayContaining(["creditAccount", "getMetrics"]));
    for (const { method, path, example } of routes) {
      const body = method === "get" || method === "delete" ? {} : { body: example?.body ?? {} };
      const answer = await server.ask(method.toUpperCase(), path.replace(/\{\w+\}/g, "x"), { key, ...body });
      expect([path, answer.status, answer.body]).toMatchObject([path, 403, { code: "forbidden" }]);
    }
  });

  it.each([
    [{}, "account"],
    [{ account: "two words" }, "account"],
    [{ account: "Admin" }, "account"],
    [{ account: "a", scopes: [] }, "scopes"],
    [{ account: "a", scopes: ["everything"] }, "scopes"],
    [{ account: "a", scopes: "read" }, "scopes"],
    [{ account: "a", repository: "nowhere" }, "repository"],
    [{ account: "a", repository: undefined }, "repository"],
    [{ account: "a", repository: null }, "repository"],
    [{ account: "a", repository: "octo/.." }, "repository"],
    [{ account: "a", repository: "octo/." }, "repository"],
    [{ account: "a", expires_at: "tomorrow" }, "expires_at"],
    [{ account: "a", expires_at: "2020-01-01" }, "expires_at"],
    [{ account: "a", expires_at: 5 }, "expires_at"],
  ])("refuse %j and name the field", async (body, field) => {
    const answer = await server.ask("POST", "/api/keys", { body: { repository: "*", ...body } });
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(`^${field}`) } });
  });

  it("may write so often a minute; then 429 says when to come again, and reads still pass", async () => {
    const { key } = await createKey({ account: "busy", scopes: ["admin"] });
    const write = () => server.ask("DELETE", "/api/keys/none", { key });
    for (let count = 0; count < WRITES_PER_MINUTE; count++) await write();
    const answer = await write();
    expect(answer).toMatchObject({ status: 429, body: { code: "rate_limited" } });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await read(key)).status).toBe(404);
    expect((await server.ask("DELETE", "/api/keys/none")).status).toBe(404);
  });
});
