import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { dataFolder } from "../data-folder.ts";
import { API_KEY, startServer, type TestServer } from "./http-server.ts";

const REPOSITORY = "octo/demo";
const PROJECT = encodeURIComponent(REPOSITORY);
const TASK = "create SECRET-PLAN.md that says hush";

let server: TestServer;
let dir: string;
beforeAll(async () => {
  dir = dataFolder("audit-");
  server = await startServer({ dir });
});
afterAll(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

const newKey = z.object({ id: z.string(), key: z.string() });
const entries = z.array(
  z.looseObject({ action: z.string(), outcome: z.string(), target: z.looseObject({ id: z.string() }).nullable() }),
);

const createKey = async (body: object) =>
  newKey.parse((await server.ask("POST", "/api/keys", { body: { repository: "*", ...body } })).body);
const ask = (query: string, key: string = API_KEY) => server.ask("GET", `/api/audit?${query}`, { key });
const list = async (query: string, key?: string) => entries.parse((await ask(query, key)).body);
const told = async (query: string, key?: string) =>
  (await list(query, key)).map(({ action, outcome }) => `${action} ${outcome}`);

async function job(key: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await server.ask("POST", `/v2/agent/${PROJECT}/job`, { key, body: { prompt: TASK }, headers });
  return z.object({ id: z.string() }).parse(answer.body).id;
}
const on = (id: string, verb: string, key: string, body?: object) =>
  server.ask("POST", `/v2/agent/${PROJECT}/job/${id}/${verb}`, { key, ...(body ? { body } : {}) });

describe("the audit log", () => {
  it("says who did what to a job, from where and by which request, and what came of it", async () => {
    const { id: key_id, key } = await createKey({ account: "Octocat", repository: REPOSITORY });
    const id = await job(key, { "x-request-id": "a-request-of-mine" });
    await on(id, "message", key, { prompt: "and whisper it" });
    expect((await on(id, "archive", key)).status).toBe(409);
    await on(id, "cancel", API_KEY);
    await on(id, "cancel", API_KEY);
    expect((await on(id, "archive", key)).status).toBe(200);
    expect(await told(`job_id=${id}`)).toEqual([
      "archive done",
      "cancel unchanged",
      "cancel done",
      "archive wrong_status",
      "message done",
      "create done",
    ]);
    const all = await list(`job_id=${id}`);
    const common = { target: { type: "job", id }, repository: REPOSITORY, login: null, address: "127.0.0.1" };
    expect(all.at(-1)).toEqual({
      ...common,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      account: "octocat",
      key_id,
      request_id: "a-request-of-mine",
      action: "create",
      outcome: "done",
    });
    expect(all[2]).toMatchObject({ ...common, account: "admin", key_id: null });
  });

  it("says what was done to keys", async () => {
    const { id } = await createKey({ account: "octocat" });
    const next = newKey.parse((await server.ask("POST", `/api/keys/${id}/rotate`, { body: {} })).body);
    await server.ask("POST", `/api/keys/${id}/rotate`, { body: {} });
    await server.ask("DELETE", "/api/keys/self", { key: next.key });
    await server.ask("DELETE", `/api/keys/${next.key}`);
    const newest = await list("limit=5");
    expect(newest.map(({ action, outcome, target }) => [action, outcome, target?.id ?? null])).toEqual([
      ["key-revoked", "not_found", null],
      ["key-revoked", "done", next.id],
      ["key-rotated", "key_replaced", id],
      ["key-rotated", "done", id],
      ["key-created", "done", id],
    ]);
    expect(newest[1]).toMatchObject({ account: "octocat", key_id: next.id });
    expect(await told(`key_id=${next.id}`)).toEqual(["key-revoked done"]);
  });

  it("holds no task, no key and no secret that somebody sends as the id of a request", async () => {
    const { key } = await createKey({ account: "octocat", repository: REPOSITORY });
    await job(key, { "x-request-id": key });
    const folder = join(dir, "audit");
    const text = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
    expect(text).toContain('"action":"create"');
    for (const secret of [key, API_KEY, TASK, "SECRET-PLAN", "whisper"]) expect(text).not.toContain(secret);
  });

  it("is for admins, and for other keys as far as it is about a job of their account", async () => {
    const mine = await createKey({ account: "ann", repository: REPOSITORY });
    const others = await createKey({ account: "ben", repository: REPOSITORY });
    const id = await job(mine.key);
    await on(id, "cancel", API_KEY);
    const seen = await list(`job_id=${id}`, mine.key);
    expect(seen.map(({ action, account, address }) => [action, account, address])).toEqual([
      ["cancel", "admin", null],
      ["create", "ann", "127.0.0.1"],
    ]);
    expect(await ask(`job_id=${id}`, others.key)).toMatchObject({ status: 404, body: { code: "not_found" } });
    for (const query of ["", "account=ann", `job_id=${id}&account=admin`, `job_id=${id}&key_id=${mine.id}`])
      expect(await ask(query, mine.key)).toMatchObject({ status: 403, body: { code: "missing_scope" } });
    const bound = await createKey({ account: "eve", repository: "octo/other", scopes: ["admin"] });
    expect([(await ask(`job_id=${id}`, bound.key)).status, await told("", bound.key)]).toEqual([404, []]);
    const here = await createKey({ account: "eve", repository: REPOSITORY.toUpperCase(), scopes: ["admin"] });
    const all = await list("account=ANN", here.key);
    expect(all.map(({ action }) => action)).toEqual(["create", "key-tied"]);
    const writer = await createKey({ account: "ann", scopes: ["write"] });
    expect((await ask(`job_id=${id}`, writer.key)).status).toBe(403);
  });

  it("comes in pages, with the address of the next one", async () => {
    const { key } = await createKey({ account: "pages", repository: REPOSITORY });
    // beside them stands that the key was tied to its repository
    for (let count = 0; count < 2; count++) await job(key);
    const first = await ask("account=pages&limit=2");
    const link = /^<(\/api\/audit\?[^>]+)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const second = await server.ask("GET", link);
    expect([entries.parse(first.body).length, entries.parse(second.body).length]).toEqual([2, 1]);
    expect(second.headers.get("link")).toBeNull();
    for (const query of ["limit=0", "limit=101", "limit=two", "job_id=1&job_id=2"])
      expect(await ask(query)).toMatchObject({ status: 400, body: { code: "invalid_field" } });
  });
});
