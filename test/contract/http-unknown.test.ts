/** No call ignores an unknown name silently. Sweeps over everything described. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operation, operationsOf, readDescription } from "./description.ts";
import { startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
let operations: readonly Operation[];
/** For what whoever holds a key may do with it: the server's own is none of those. */
let own: string;
beforeAll(async () => {
  server = await startServer();
  const newKey = await server.ask("POST", "/api/keys", {
    body: { account: "octocat", repository: "*", scopes: ["read"] },
  });
  own = String(Object(newKey.body).key);
  const { body } = await server.ask("GET", "/api/openapi.json");
  operations = operationsOf(readDescription(body));
});
afterAll(() => server.close());

/** Called by other programs than our users', or by another version of ours. */
const LENIENT =
  /^\/(?:health|ready|ping|metrics|api\/openapi\.json|api\/stripe\/webhook|api\/runs\/.*|api\/triggers\/\{owner\}\/\{name\}\/\{trigger\})$/;
const strict = () => operations.filter(({ path }) => !LENIENT.test(path));

const addressOf = ({ path, parameters }: Operation): string =>
  path.replace(/\{(\w+)\}/g, (_found, name) => {
    if (name === "projectId") return "octocat%2Fhello";
    return encodeURIComponent(String(parameters.find((one) => one.name === name)?.example ?? "none"));
  });

/** What each call needs before its own work, so that the unknown name is all that is wrong. */
const query = ({ parameters }: Operation): string =>
  parameters
    .filter((one) => one.in === "query" && one.required)
    .map(({ name, example }) => `${name}=${example}&`)
    .join("");

const bodyOf = ({ requestBody }: Operation): object => Object(requestBody?.content["application/json"]?.example ?? {});

const keyOf = ({ path }: Operation) => (path.startsWith("/api/keys/self") ? { key: own } : {});

describe("a name that no call knows", () => {
  it("is refused in every query, and named", async () => {
    expect(strict().length).toBeGreaterThan(40);
    for (const one of strict()) {
      const writes = one.method !== "GET" && one.method !== "DELETE";
      const answer = await server.ask(one.method, `${addressOf(one)}?${query(one)}no_such=1`, {
        ...keyOf(one),
        ...(writes ? { body: bodyOf(one) } : {}),
      });
      expect([one.operationId, answer.status, answer.body]).toEqual([
        one.operationId,
        400,
        { code: "invalid_field", error: expect.stringMatching(/^no_such: is not known here/) },
      ]);
    }
  });

  it("is refused in every body that is described, and named", async () => {
    const bodies = strict().filter(({ requestBody }) => requestBody !== undefined);
    expect(bodies.length).toBeGreaterThan(12);
    for (const one of bodies) {
      const answer = await server.ask(one.method, addressOf(one), {
        ...keyOf(one),
        body: { ...bodyOf(one), no_such: 1 },
      });
      expect([one.operationId, answer.status, answer.body]).toEqual([
        one.operationId,
        400,
        { code: "invalid_field", error: expect.stringMatching(/^no_such: is not known here/) },
      ]);
    }
  });

  it.each([
    ["POST", "/api/create-job", { job: "x", llm_modle: "m" }, "llm_modle: is not known here; did you mean llm_model?"],
    ["GET", "/api/jobs?stauts=queued", undefined, "stauts: is not known here; did you mean status?"],
    ["POST", "/api/webhooks", { ulr: "https://example.com" }, "ulr: is not known here; did you mean url?"],
    [
      "POST",
      "/api/jobs/run",
      { prompt: "x", attachments: [{ name: "a.txt", content: "", kind: "text" }] },
      "attachments[0].kind: is not known here.",
    ],
    ["POST", "/api/webhooks", { url: "https://example.com/x", events: [1] }, /^events\[0\]: /],
    [
      "GET",
      `/api/jobs?${"x".repeat(5_000)}=1`,
      undefined,
      /^x{60}: is not known here; there is limit, cursor, status, outcome, repository\.$/,
    ],
  ])("is told with what was meant: %s %s", async (method, path, body, sentence) => {
    const answer = await server.ask(method, path, body === undefined ? {} : { body });
    expect(answer.status).toBe(400);
    expect(Object(answer.body).error).toEqual(
      typeof sentence === "string" ? sentence : expect.stringMatching(sentence),
    );
  });

  it("goes by unseen where others call: probes, and documents that do not say that a call takes no body", async () => {
    expect((await server.ask("GET", "/health?t=1")).status).toBe(200);
    expect((await server.ask("POST", "/api/jobs/abcd1234/accept", { body: { agent_id: "a" } })).status).toBe(404);
    const rotated = await server.ask("POST", "/api/webhooks/default/rotate", { body: { overlap: 5 } });
    expect(rotated).toMatchObject({ status: 400, body: { code: "invalid_field" } });
  });
});

describe("a method that a path does not take", () => {
  it.each([
    ["PUT", "/api/jobs", "GET, HEAD, OPTIONS"],
    ["POST", "/api/jobs/status", "GET, HEAD, OPTIONS"],
    ["PATCH", "/api/keys", "POST, GET, HEAD, OPTIONS"],
    ["DELETE", "/v2/agent/octocat%2Fhello/job", "POST, OPTIONS"],
  ])("is answered with those that it takes: %s %s", async (method, path, allow) => {
    const answer = await server.ask(method, path);
    expect(answer).toMatchObject({ status: 405, body: { code: "method_not_allowed" } });
    expect(answer.headers.get("allow")).toBe(allow);
    expect(Object(answer.body).error).toContain(allow);
  });

  it("is told to whoever asks by OPTIONS, and browsers of other sites get no leave by it", async () => {
    const headers = { origin: "https://elsewhere.example", "access-control-request-method": "GET" };
    const answer = await server.ask("OPTIONS", "/api/jobs", { key: null, headers });
    expect([answer.status, answer.body, answer.headers.get("allow")]).toEqual([204, "", "GET, HEAD, OPTIONS"]);
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await server.ask("OPTIONS", "/api/nothing")).status).toBe(404);
  });

  it("is no matter of a path that is not there", async () => {
    expect((await server.ask("PUT", "/api/nothing")).status).toBe(404);
  });
});

describe("a cursor", () => {
  const LISTS = ["/api/jobs", "/api/audit", "/api/wallet/balance", "/api/webhooks/default/deliveries"];
  const of = (text: string): string => Buffer.from(text).toString("base64url");

  it.each(LISTS)("that no list has written is refused with a sentence: %s", async (list) => {
    for (const cursor of ["%00", "", "nonsense", of("x"), of("1."), of("1.\n"), `${of("1.abc")}=`, "x".repeat(201)]) {
      const answer = await server.ask("GET", `${list}?cursor=${cursor}`);
      expect(answer, cursor).toMatchObject({ status: 400, body: { code: "invalid_field" } });
      expect(Object(answer.body).error).toBe(
        "cursor: is not a cursor of this list; leave it out to begin at the start.",
      );
    }
  });

  it("that leads nowhere ends the list", async () => {
    expect(await server.ask("GET", `/api/jobs?cursor=${of("1.abcd1234")}`)).toMatchObject({ status: 200, body: [] });
  });
});

describe("a field that is named twice", () => {
  it.each([
    '{"account":"ada","account":"eve","repository":"*"}',
    '{"account":"ada","\\u0061ccount":"eve","repository":"*"}',
    '{"account":"ada","repository":"*","scopes":["read",{"a":[{"b":1,"b":2}]}]}',
    '{"__proto__":1,"__proto__":{},"account":"ada"}',
  ])("is refused, since one of the two would be ignored: %s", async (body) => {
    const answer = await server.ask("POST", "/api/keys", { body });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_json" } });
    expect(Object(answer.body).error).toContain("names a field twice");
  });

  it("is none where a colon or a name stands in a text, or in objects apart", async () => {
    const body = '{"account":"ada","repository":"*","scopes":["read"],"login":null,"x":{"account":":\\":{\\"a\\":1"}}';
    expect(Object((await server.ask("POST", "/api/keys", { body })).body).error).toMatch(/^(?:login|x): is not known/);
  });
});
