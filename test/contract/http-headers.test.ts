/** The headers of every answer, and what the pages let a browser do. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listenEarly } from "../../src/http/server/bootstrap.ts";
import { until } from "../flows/harness.ts";
import { type Asked, startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const DATA = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "strict-transport-security": "max-age=31536000",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
  "x-powered-by": null,
};

const headersOf = (headers: Headers, names: object): object =>
  Object.fromEntries(Object.keys(names).map((name) => [name, headers.get(name)]));

const ANSWERS: readonly (readonly [string, number, () => Promise<Asked>])[] = [
  ["an answer", 200, () => server.ask("GET", "/api/keys")],
  [
    "an answer without a body",
    304,
    () => server.ask("GET", "/api/openapi.json", { headers: { "if-none-match": tag } }),
  ],
  ["a text", 200, () => server.ask("GET", "/metrics")],
  ["a 401", 401, () => server.ask("GET", "/api/keys", { key: null })],
  ["a 400 of the body's reader", 400, () => server.ask("POST", "/api/keys", { body: "{" })],
  ["a 413", 413, () => server.ask("POST", "/api/keys", { body: "x".repeat(1_100_000) })],
  ["a 400 of Express", 400, () => server.ask("GET", "/v2/agent/%zz/jobs")],
  ["a 404 below the API", 404, () => server.ask("GET", "/api/nothing")],
  ["a 404 elsewhere", 404, () => server.ask("PUT", "/nothing")],
  ["a probe", 200, () => server.ask("GET", "/health")],
  ["the answer to a delivery", 200, () => server.deliver("ping", "a-delivery-1", { zen: "x" })],
  ["a refused delivery", 400, () => server.deliver("ping", "a-delivery-2", { zen: "x" }, "sha256=00")],
];
let tag = "";

describe("every answer that is data", () => {
  it.each(ANSWERS)("is not to be sniffed, framed or run, and has a request id: %s", async (_what, status, ask) => {
    tag = (await server.ask("GET", "/api/openapi.json")).headers.get("etag") ?? "";
    const { headers, status: got } = await ask();
    expect(got).toBe(status);
    expect(headersOf(headers, DATA)).toEqual(DATA);
    expect(headers.get("x-request-id")).toMatch(/^[\w.-]{8,64}$/);
  });

  it("is nobody's to keep, unless it says so itself", async () => {
    for (const path of ["/api/keys", "/api/nothing", "/metrics", "/health", "/ready"]) {
      expect((await server.ask("GET", path)).headers.get("cache-control"), path).toBe("no-store");
    }
    const status = await server.ask("GET", "/api/jobs/status?job_id=zzzzzzzz");
    expect([status.status, status.headers.get("cache-control")]).toEqual([404, "no-store"]);
  });

  it("has the same before anybody answers", async () => {
    const gate = await listenEarly({ host: "127.0.0.1", port: 0 });
    for (const [path, status] of [
      ["/health", 200],
      ["/ready", 503],
    ] as const) {
      const answer = await fetch(`${gate.url}${path}`);
      expect([answer.status, headersOf(answer.headers, DATA)]).toEqual([status, DATA]);
      expect(answer.headers.get("x-request-id")).toMatch(/^[\w.-]{8,64}$/);
    }
    await gate.close();
  });
});

describe("a request id", () => {
  const line = (id: string | null) => server.logged.find((one) => one.includes(`"request":"${id}"`)) ?? "";

  it.each([
    ["a route", "GET", "/api/keys", {}],
    ["no route", "GET", "/api/nothing", {}],
    ["an address that cannot be read", "GET", "/v2/agent/%zz/jobs", {}],
    ["a caller without a key", "GET", "/api/keys", { key: null }],
    ["a page", "GET", "/docs", {}],
  ])("leads to the line of the log, for %s", async (_what, method, path, options) => {
    const { headers, status } = await server.ask(method, path, options);
    await expect.poll(() => line(headers.get("x-request-id"))).toContain(`"status":${status}`);
  });

  it("is the caller's own where that is harmless, and GitHub's where GitHub delivers", async () => {
    const idOf = async (given: string) =>
      (await server.ask("GET", "/health", { headers: { "x-request-id": given } })).headers.get("x-request-id");
    expect(await idOf("trace-0123456789")).toBe("trace-0123456789");
    expect(await idOf('"quoted"')).not.toContain("quoted");
    const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
    expect((await server.deliver("ping", guid, { zen: "x" })).headers.get("x-request-id")).toBe(guid);
  });
});

describe("the pages", () => {
  const FILES = [
    "/",
    "/installed",
    "/docs",
    "/docs/page.js",
    "/docs/page.css",
    "/docs/swagger-ui.css",
    "/docs/swagger-ui-bundle.js",
  ];

  it.each(FILES)(
    "lets a browser load nothing from another host and run nothing that stands in it: %s",
    async (path) => {
      const { status, headers, body } = await server.ask("GET", path, { key: null });
      expect(status).toBe(200);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toMatch(/https?:|\*|script-src[^;]*unsafe/);
      expect(headersOf(headers, { "x-frame-options": 0, "x-content-type-options": 0 })).toEqual({
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
      });
      expect(String(body).length).toBeGreaterThan(100);
    },
  );

  it("name no other host, neither in what they load nor in how they are set up", async () => {
    for (const path of ["/", "/installed", "/docs", "/docs/page.js", "/docs/page.css"]) {
      expect(String((await server.ask("GET", path)).body)).not.toMatch(/(?:https?:)?\/\/[a-z]/i);
    }
    expect(String((await server.ask("GET", "/docs/page.js")).body)).toContain("validatorUrl: null");
  });

  it("give all that they load, and lead to each other", async () => {
    const page = String((await server.ask("GET", "/docs")).body);
    const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
    expect(loaded).toContain("/docs/swagger-ui-bundle.js");
    for (const path of loaded) expect((await server.ask("GET", path, { key: null })).status, path).toBe(200);
    expect(String((await server.ask("GET", "/")).body)).toContain('href="/docs"');
  });

  const faultsAfter = (line: number): string[] =>
    server.logged.slice(line).filter((one) => JSON.parse(one).level >= 50);

  it.each([
    [412, { "if-match": '"other"' }],
    [412, { "if-unmodified-since": "Mon, 01 Jan 1990 00:00:00 GMT" }],
    [416, { range: "bytes=999999999-" }],
    [206, { range: "bytes=0-9" }],
  ])("answer %s to a condition or a range that asks for it, and log no fault", async (status, headers) => {
    const before = server.logged.length;
    const answer = await server.ask("GET", "/docs/swagger-ui.css", { key: null, headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(faultsAfter(before)).toEqual([]);
  });

  it("may be left while they come, which is nobody's fault", async () => {
    const before = server.logged.length;
    const { port, hostname } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write("GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "data");
    socket.destroy();
    await until("the end of the request", () => server.logged.slice(before).some((line) => line.includes("aborted")));
    // what comes after the end has had its turn by now
    await server.ask("GET", "/ping", { key: null });
    expect(faultsAfter(before)).toEqual([]);
  });

  it("give nothing else of the package", async () => {
    for (const path of ["/docs/package.json", "/docs/index.html", "/docs/..%2fpackage.json", "/docs/swagger-ui.js"]) {
      expect((await server.ask("GET", path)).status, path).toBe(404);
    }
  });
});

it("an answer that broke off is counted as such", async () => {
  const { port, hostname } = new URL(server.url);
  let release = (): void => {};
  server.github.push = () =>
    new Promise((resolve) => {
      release = () => resolve("done");
    });
  const body = JSON.stringify({ job: "x", repository: "octocat/hello" });
  const socket = connect(Number(port), hostname);
  const head = `POST /api/create-job HTTP/1.1\r\nHost: x\r\nx-api-key: the-admin-key-of-these-tests\r\nContent-Length: ${body.length}`;
  socket.write(`${head}\r\n\r\n${body}`);
  await expect.poll(() => server.store.jobs.count()).toBe(1);
  socket.destroy();
  await once(socket, "close");
  release();
  const aborted = /http_request_duration_seconds_count\{route="\/api\/create-job",method="POST",status="aborted"\} 1/;
  await expect.poll(async () => String((await server.ask("GET", "/metrics")).body)).toMatch(aborted);
});
