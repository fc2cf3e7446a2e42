/** How much memory unfinished requests may hold, and for how long. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { takesBody } from "../../src/http/routing/shared-answers.ts";
import { boundBodies } from "../../src/http/server/bodies-under-way.ts";
import { createBodyThread } from "../../src/http/server/body-thread.ts";
import { listenEarly } from "../../src/http/server/bootstrap.ts";
import { API_KEY, SECRET, startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const MB = 1024 * 1024;
const FORGED = `sha256=${"0".repeat(64)}`;

/** Begins a request and sends no more of its body than this. */
async function begin(url: string, path: string, headers: Readonly<Record<string, string>>, body: Buffer) {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // whoever is turned away may find the connection closed while it still sends
  socket.on("error", () => {});
  socket.write(`POST ${path} HTTP/1.1\r\nhost: here\r\n${lines.join("")}\r\n`);
  socket.write(body);
  return { socket, answer: text(socket).catch(() => "") };
}

const delivery = (id: string, length: number, signature: string | null) => ({
  ...{ "content-type": "application/json", "x-github-event": "push", "x-github-delivery": id },
  ...{ "content-length": String(length), ...(signature === null ? {} : { "x-hub-signature-256": signature }) },
});

const WEBHOOKS = "/api/github/webhooks";

describe("a delivery", () => {
  it.each([null, "sha1=abc", "sha256=", `sha256=${"x".repeat(64)}`])(
    "with the signature %s is answered before its body is there",
    async (signature) => {
      const begun = await begin(server.url, WEBHOOKS, delivery("unsigned", 24 * MB, signature), Buffer.from("{"));
      expect(await begun.answer).toMatch(/^HTTP\/1\.1 400 .*signature/s);
    },
  );

  it("gets through while others send dozens of megabytes and do not end", async () => {
    const most = Buffer.alloc(24 * MB - 1, "[");
    const begun = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        begin(server.url, WEBHOOKS, delivery(`slow-${at}`, most.length + 1, FORGED), most),
      ),
    );
    const answers = begun.map(({ answer }) => answer);
    // three of that size may be held; who came first gives way
    const turnedAway = new Promise<number>((resolve) => {
      let count = 0;
      for (const answer of answers)
        void answer.then((said) => {
          // a connection that is closed while it sends may not receive why
          expect(said).toMatch(/^(?:HTTP\/1\.1 503 .*"busy"|$)/s);
          if (++count === 9) resolve(count);
        });
    });
    expect(await turnedAway).toBe(9);
    expect(await server.deliver("ping", "meanwhile", { zen: "x" })).toMatchObject({ status: 200 });
  });

  const large = (id: string, commits: number) => ({
    ...{ ref: "refs/heads/main", after: "a".repeat(40), deleted: false },
    ...{ installation: { id: 1 }, sender: { id: 1, login: "octocat" }, head_commit: { tree_id: "b".repeat(40) } },
    repository: { id: 7, name: id, owner: { login: "octocat" }, default_branch: "main" },
    commits: Array.from({ length: commits }, () => ({ added: ["a".repeat(900)], modified: [], removed: [] })),
  });

  it("that is large is recorded like a small one", async () => {
    expect(await server.deliver("push", "large-1", large("large", 2_000))).toMatchObject({ status: 200 });
    expect(await server.store.inbox.unknown(["large-1"])).toEqual([]);
    await expect.poll(() => server.store.repositories.get("octocat", "large")).toMatchObject({ id: 7 });
    expect(await server.deliver("push", "large-2", { zen: "x".repeat(2 * MB) })).toMatchObject({ status: 200 });
    expect(await server.store.inbox.unknown(["large-2"])).toEqual(["large-2"]);
  });

  it("that is large and not signed by GitHub, or no JSON, is refused", async () => {
    const forged = await server.deliver("push", "large-3", large("forged", 2_000), FORGED);
    expect(forged).toMatchObject({ status: 400, body: { code: "invalid_signature" } });
    const broken = `{"zen":"${"x".repeat(MB)}`;
    const signed = `sha256=${createHmac("sha256", SECRET).update(broken).digest("hex")}`;
    const headers = delivery("large-4", broken.length, signed);
    const answer = await server.ask("POST", WEBHOOKS, { key: null, body: broken, headers });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_json" } });
    expect(await server.store.inbox.unknown(["large-3"])).toEqual(["large-3"]);
  });
});

describe("a request", () => {
  it("gives way to others when too much is under way", async () => {
    const most = Buffer.alloc(MB - 1, " ");
    const headers = { "x-api-key": API_KEY, "content-length": String(MB) };
    const begun = [];
    for (let at = 0; at < 40; at += 1) begun.push(await begin(server.url, "/api/create-job", headers, most));
    expect(await begun[0]?.answer).toMatch(/^HTTP\/1\.1 503 .*Retry-After: 1.*"busy"/s);
    const body = { job: "x", repository: "octocat/hello" };
    expect(await server.ask("POST", "/api/create-job", { body })).toMatchObject({ status: 200 });
  });

  it("by a caller without a key has its body read only behind something that tells who it is", () => {
    const open = server.routes.filter((route) => route.scope === null && takesBody(route));
    expect(open.map(({ path }) => path)).toContain("/api/stripe/webhook");
    expect(open.filter(({ callers = [] }) => callers.length === 0).map(({ path }) => path)).toEqual([]);
  });

  it("that does not arrive in time is ended", async () => {
    const gate = await listenEarly(
      { host: "127.0.0.1", port: 0 },
      { headersTimeout: 500, requestTimeout: 600, connectionsCheckingInterval: 20 },
    );
    onTestFinished(() => gate.close());
    gate.open((request, response) => void request.resume().on("end", () => response.end("late")));
    const begun = await begin(gate.url, "/", { "content-length": "10" }, Buffer.from("half"));
    expect(await begun.answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe("the bound on bodies", () => {
  it("holds whatever comes in whatever order, and lets the newest stay", () => {
    const step = fc.record({
      who: fc.nat(9),
      bytes: fc.nat(40),
      act: fc.constantFrom("add", "add", "whole", "release"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const hold = boundBodies(100);
        const bodies = new Map<number, { bytes: number; whole: boolean; held: ReturnType<typeof hold> }>();
        for (const { who, bytes, act } of steps) {
          const body = bodies.get(who);
          if (body === undefined) {
            bodies.set(who, { bytes: 0, whole: false, held: hold(() => void bodies.delete(who)) });
          } else if (act === "add") {
            if (body.whole) continue;
            body.bytes += bytes;
            body.held.add(bytes);
          } else if (act === "whole") {
            body.whole = true;
            body.held.whole();
          } else {
            body.held.release();
            bodies.delete(who);
          }
          const all = [...bodies.values()];
          const unfinished = all.filter((one) => !one.whole && one.bytes > 0);
          const sum = all.reduce((total, one) => total + one.bytes, 0);
          expect(unfinished.length === 0 || sum <= 100).toBe(true);
        }
      }),
    );
  });
});

describe("the thread for large bodies", () => {
  it("is started anew after it has ended with one", async () => {
    const program =
      "import { parentPort } from 'node:worker_threads'; parentPort.once('message', () => process.exit(1));";
    const thread = createBodyThread(new URL(`data:text/javascript,${encodeURIComponent(program)}`), SECRET);
    const task = () => ({
      parts: [Buffer.allocUnsafeSlow(9)],
      ...{ signature: FORGED, event: "push", self: { appId: 1, slug: "" } },
    });
    await expect(thread.delivery(task())).rejects.toThrow("has ended");
    await expect(thread.delivery(task())).rejects.toThrow("has ended");
    await thread.stop();
  });
});
