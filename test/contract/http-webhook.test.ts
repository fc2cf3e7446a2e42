import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const comment = (id: number, body: string) => ({
  action: "created",
  installation: { id: 1 },
  repository: { id: 2, name: "hello", full_name: "octocat/hello", owner: { login: "octocat" } },
  sender: { id: 1, login: "octocat", type: "User" },
  issue: { number: 7, title: "A title", body: "A body", state: "open" },
  comment: { id, body, user: { id: 1, login: "octocat", type: "User" } },
});

const jobOf = (comment_id: number) => server.store.jobs.ofComment("octocat/hello", comment_id);

describe("POST /api/github/webhooks", () => {
  it("answers when the delivery is on disk, and works on it once however often it comes", async () => {
    const payload = comment(101, "/job write a haiku");
    expect(await server.deliver("issue_comment", "delivery-1", payload)).toMatchObject({ status: 200 });
    expect(await server.store.inbox.unknown(["delivery-1"])).toEqual([]);
    expect(await server.deliver("issue_comment", "delivery-1", payload)).toMatchObject({ status: 200 });
    await expect.poll(() => jobOf(101)).not.toBeNull();
    const { jobs } = await server.store.jobs.list({ repository: "octocat/hello", limit: 10 });
    expect(jobs).toHaveLength(1);
  });

  it("is also served at the root, where Probot's set-up page registered it", async () => {
    const body = JSON.stringify({ zen: "Keep it logically awesome.", hook_id: 1 });
    const headers = { "content-type": "application/json", "x-github-event": "ping", "x-github-delivery": "root-1" };
    const answer = await fetch(server.url, {
      method: "POST",
      body,
      headers: { ...headers, "x-hub-signature-256": "sha256=0" },
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("signature");
  });

  it("answers 200 to events that mean nothing to us", async () => {
    expect(await server.deliver("ping", "delivery-2", { zen: "x" })).toMatchObject({ status: 200 });
    expect(await server.deliver("made_up", "delivery-3", { action: "x" })).toMatchObject({ status: 200 });
    expect(await server.store.inbox.unknown(["delivery-2"])).toEqual(["delivery-2"]);
  });

  it.each([
    ["a small one", 10, `sha256=${"0".repeat(64)}`],
    ["a large one", 2_000_000, `sha256=${"0".repeat(64)}`],
    ["one without a signature", 10, "none"],
  ])(
    "warns of a delivery that is not signed with the secret in one line without a stack: %s",
    async (_what, size, signature) => {
      const before = server.logged.length;
      const answer = await server.deliver("issue_comment", "delivery-f", comment(103, "x".repeat(size)), signature);
      expect(answer.status).toBe(400);
      const told = server.logged.slice(before).filter((line) => JSON.parse(line).level >= 40);
      expect(told).toHaveLength(1);
      expect(JSON.parse(told[0] ?? "")).toMatchObject({
        ...{ level: 40, delivery: "delivery-f", error_code: "invalid_signature" },
        msg: expect.stringContaining("WEBHOOK_SECRET"),
      });
      expect(told[0]).not.toContain("stack");
    },
  );

  it.each([
    ["a wrong signature", `sha256=${"0".repeat(64)}`, {}, "invalid_signature"],
    ["a list", undefined, [1], "invalid_json"],
    ["a word", undefined, "word", "invalid_json"],
  ])("answers %s in a sentence of ours, and in none of a library's", async (_what, signature, payload, code) => {
    const answer = await server.deliver("issue_comment", "delivery-w", payload, signature);
    const { error, ...rest } = z.object({ error: z.string(), code: z.string() }).parse(answer.body);
    expect([answer.status, rest]).toEqual([400, { code }]);
    expect(error).toMatch(/^(?:The|A) [\w ,'-]+\.$/);
  });

  it("refuses a wrong signature, and keeps and logs nothing of the payload", async () => {
    const before = server.logged.length;
    const payload = comment(102, "/job a very private sentence");
    const answer = await server.deliver("issue_comment", "delivery-4", payload, `sha256=${"0".repeat(64)}`);
    expect(answer.status).toBe(400);
    expect(await server.store.inbox.unknown(["delivery-4"])).toEqual(["delivery-4"]);
    expect(server.logged.slice(before).join("")).not.toContain("a very private sentence");
  });

  it("refuses deliveries without the headers that GitHub sends, of another type, or too large to be one", async () => {
    const url = `${server.url}/api/github/webhooks`;
    const json = { "content-type": "application/json" };
    expect((await fetch(url, { method: "POST", body: "{}", headers: json })).status).toBe(400);
    expect((await fetch(url, { method: "POST", body: "a=b", headers: { "content-type": "text/plain" } })).status).toBe(
      415,
    );
    expect((await fetch(url)).status).toBe(404);
    const large = "x".repeat(26 * 1024 * 1024);
    const answer = await fetch(url, { method: "POST", body: large, headers: json }).catch((error: unknown) => error);
    // the connection may be closed before the whole body was sent
    if (answer instanceof Response) expect(answer.status).toBe(413);
    else expect(answer).toBeInstanceOf(TypeError);
  });

  it.each(["5", "null", '"text"', "[]"])("answers 4xx or 200 to the signed payload %s and lives on", async (text) => {
    const answer = await server.deliver("issue_comment", `odd-${text}`, JSON.parse(text));
    expect(answer.status).toBeLessThan(501);
    expect((await server.ask("GET", "/ping", { key: null })).status).toBe(200);
  });
});
