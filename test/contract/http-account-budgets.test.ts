/** What the operator allows the jobs of an account to cost, over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const AT = "/api/accounts/octocat/budget";

describe("the budget of an account", () => {
  it("is set, told, written down, and removed", async () => {
    const none = { account: "octocat", day_cents: null, month_cents: null, own: false };
    expect(await server.ask("GET", AT)).toMatchObject({ status: 200, body: none });
    const set = await server.ask("PUT", "/api/accounts/OctoCat/budget", { body: { day_cents: 500 } });
    const own = { account: "octocat", day_cents: 500, month_cents: null, own: true };
    expect(set).toMatchObject({ status: 200, body: own });
    expect((await server.ask("GET", AT)).body).toEqual(own);
    expect((await server.ask("DELETE", AT)).status).toBe(204);
    expect(await server.ask("DELETE", AT)).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect((await server.ask("GET", AT)).body).toEqual(none);
    const { body: entries } = await server.ask("GET", "/api/audit?account=admin");
    const target = { type: "account", id: "octocat" };
    expect(entries).toMatchObject([
      { action: "account-budget-removed", target, outcome: "not_found" },
      { action: "account-budget-removed", target, outcome: "done" },
      { action: "account-budget-set", target, outcome: "done" },
    ]);
  });

  it.each([{ day_cents: 0 }, { day_cents: 1.5 }, { month_cents: "5" }, { month_cents: 1e9 }, { jobs_per_day: 1 }])(
    "is refused with a sentence: %j",
    async (body) => {
      expect(await server.ask("PUT", AT, { body })).toMatchObject({ status: 400, body: { code: "invalid_field" } });
    },
  );

  it.each(["a%20b", "..%2Fx", "x".repeat(60)])("is of no account that cannot be: %s", async (account) => {
    const answer = await server.ask("PUT", `/api/accounts/${account}/budget`, { body: {} });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_field" } });
  });

  it("is listed with those of others and what was spent, a hundred at a time", async () => {
    const names = Array.from({ length: 101 }, (_, nth) => `listed-${String(nth).padStart(3, "0")}`);
    for (const name of names) await server.ask("PUT", `/api/accounts/${name}/budget`, { body: { month_cents: 700 } });
    const first = await server.ask("GET", "/api/accounts?after=listed-");
    expect(first.status).toBe(400);
    const listed = await server.ask("GET", "/api/accounts?after=a");
    const one = { day_cents: null, month_cents: 700, spent_day_cents: 0, spent_month_cents: 0 };
    const shown = names.slice(0, 100).map((account) => ({ account, ...one }));
    const usual = { day_cents: null, month_cents: null };
    expect(listed).toMatchObject({ status: 200, body: { usual, budgets: shown, next: names[99] } });
    const rest = await server.ask("GET", `/api/accounts?after=${names[99]}`);
    expect(rest.body).toEqual({ usual, budgets: [{ account: names[100], ...one }], next: null });
  });

  it("is for admins alone", async () => {
    const made = await server.ask("POST", "/api/keys", {
      body: { account: "octocat", repository: "*", scopes: ["read", "write", "work"] },
    });
    const key = String(Object(made.body).key);
    expect((await server.ask("GET", "/api/accounts", { key })).status).toBe(403);
    for (const method of ["GET", "PUT", "DELETE"])
      expect(await server.ask(method, AT, { key, ...(method === "PUT" ? { body: {} } : {}) })).toMatchObject({
        status: 403,
        body: { code: "missing_scope" },
      });
  });
});
