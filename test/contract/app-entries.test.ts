/** The app function is a plain Probot app: it loads wherever those do. */
import { createHmac } from "node:crypto";
import { Probot, Server } from "probot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../sandbox/free-port.ts";
import { API_KEY, SECRET, startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const deleted = (job: string) => ({
  ref: `job/${job}`,
  ref_type: "branch",
  installation: { id: 1 },
  repository: { id: 2, name: "hello", owner: { login: "octocat" } },
  sender: { id: 1, login: "octocat", type: "User" },
});

/** Probot's Server takes no port 0. */

describe("the app function", () => {
  it("serves its routes and receives deliveries under Probot's own Server", async () => {
    const port = await freePort();
    const theirs = new Server({ Probot: Probot.defaults(server.probot), port, host: "127.0.0.1" });
    await theirs.load(server.app);
    await theirs.start();
    try {
      const url = `http://127.0.0.1:${port}`;
      const read = (headers: Record<string, string>) => fetch(`${url}/api/jobs/status?job_id=zzzzzzzz`, { headers });
      expect((await read({})).status).toBe(401);
      expect((await read({ "x-api-key": API_KEY })).status).toBe(404);
      const body = JSON.stringify({ job: "x", repository: "octocat/hello" });
      const headers = { "x-api-key": API_KEY, "content-type": "application/json" };
      expect((await fetch(`${url}/api/create-job`, { method: "POST", body, headers })).status).toBe(200);

      const payload = JSON.stringify(deleted("aaaaaaaa"));
      const delivered = await fetch(`${url}/api/github/webhooks`, {
        method: "POST",
        body: payload,
        headers: {
          "content-type": "application/json",
          "x-github-event": "delete",
          "x-github-delivery": "under-server",
          "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(payload).digest("hex")}`,
        },
      });
      expect(delivered.status).toBe(200);
      expect(await server.store.inbox.unknown(["under-server"])).toEqual([]);
    } finally {
      await theirs.stop();
    }
  });

  it("receives events without a router, as under an adapter", async () => {
    const probot = new Probot(server.probot);
    await probot.load(server.app);
    const payload = JSON.stringify(deleted("bbbbbbbb"));
    const signature = `sha256=${createHmac("sha256", SECRET).update(payload).digest("hex")}`;
    await probot.webhooks.verifyAndReceive({ id: "no-router", name: "delete", payload, signature });
    expect(await server.store.inbox.unknown(["no-router"])).toEqual([]);
  });
});
