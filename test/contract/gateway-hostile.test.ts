/** Attempts of the model's shell against the gateway next to the agent. */
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { readGateway } from "../../agent/gateway/settings.ts";
import { ask, errorIn, friendly, KEY, MODEL, sayJson, startProvider, startTested } from "./gateway-harness.ts";

const PNG = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" };
const picture = (...sources: object[]) => [
  { role: "user", content: sources.map((source) => ({ type: "image", source })) },
];

describe("what is refused before the provider is called", () => {
  const api = (path: string, method = "GET") =>
    `${method} ${path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n`;
  const post = (path: string, body: string, headers = "") =>
    `POST ${path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-type: application/json\r\n${headers}` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const call = JSON.stringify(ask());

  test.each([
    [post("/v1/messages/batches", "{}")],
    [post("/v1/complete", "{}")],
    [post("/v1/files", "{}")],
    [api("/v1/files")],
    [api("/v1/organizations/api_keys")],
    [api("/v1/messages")],
    [api("/")],
    [post("/v1/messages/../files", call)],
    [post("/v1/messages/%2e%2e/files", call)],
    [post("/v1/../v1/messages", call)],
    [post("//v1/messages", call)],
    [post("/v1/messages/", call)],
    [post("/v1/messages?beta=true", call)],
    [post("/v1/messages#x", call)],
    [post("/v1/messages%00", call)],
    [post("/v1/messages;x", call)],
    [post("/V1/messages", call)],
    [post("\\v1\\messages", call)],
    [api("/v1/models/../organizations")],
    [api("/v1/models/..")],
    [api("/v1/models/a/b")],
    [api("/v1/models/%2e%2e")],
    [api("/v1/models?after_id=a/../../x")],
    [api("/v1/models", "DELETE")],
    [api("/v1/messages", "PUT")],
  ])("%j", async (bytes) => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    expect(await gateway.raw(bytes)).toMatch(/^HTTP\/1\.1 40[03] /);
    expect(provider.asked).toEqual([]);
    expect(await gateway.spent()).toMatchObject({ cents: 0, calls: 0 });
  });

  test("with a sentence in the provider's shape, which the agent gets too", async () => {
    const gateway = await startTested(await friendly());
    const answer = await fetch(`${gateway.url}/v1/files?x=$(id)`, { method: "POST", body: "{}" });
    const sentence =
      "Blocked: POST /v1/files?x=??id? is not an allowed model call; allowed are POST /v1/messages, POST /v1/messages/count_tokens and GET /v1/models.";
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual({ type: "error", error: { type: "permission_error", message: sentence } });
    expect(gateway.said).toEqual([sentence]);
    const news = await fetch(`${gateway.url}/refusals?after=0`);
    expect(await news.json()).toEqual({ refusals: [{ seq: 1, sentence }] });
  });

  test.each([
    ["two lengths", "content-length: 5\r\ncontent-length: 60\r\n"],
    ["a length and chunks", "content-length: 5\r\ntransfer-encoding: chunked\r\n"],
    ["chunks in disguise", "content-length: 5\r\nTransfer-Encoding : chunked\r\n"],
    ["chunks within something else", "transfer-encoding: xchunked\r\n"],
  ])("a second call that is smuggled behind %s", async (_, headers) => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const inner = post("/v1/files", "{}");
    const head = `POST /v1/messages HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n${headers}\r\n`;
    expect(await gateway.raw(`${head}0\r\n\r\n${inner}`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(provider.asked).toEqual([]);
  });

  test.each([
    "http://gateway:8080/v1/messages",
    "http://127.0.0.1/v1/messages",
    "https://api.anthropic.com/v1/messages",
    "http://api.anthropic.com/v1/messages",
  ])("a whole address, which is no call of the model: %s", async (url) => {
    const provider = await friendly();
    for (const egress of [{}, { EGRESS_ALLOWED: "" }]) {
      const gateway = await startTested(provider, egress);
      expect(await gateway.raw(post(url, call))).toMatch(/^HTTP\/1\.1 40[03] /);
    }
    expect(provider.asked).toEqual([]);
  });

  test.each([
    ["another model", { model: "claude-opus-5" }, "permission_error", 403],
    ["a model of no name", { model: "" }, "permission_error", 403],
    ["no max_tokens", { max_tokens: undefined }, "invalid_request_error", 400],
    ["max_tokens that are none", { max_tokens: "many" }, "invalid_request_error", 400],
    ["max_tokens below nothing", { max_tokens: -5 }, "invalid_request_error", 400],
    ["half a token", { max_tokens: 0.5 }, "invalid_request_error", 400],
    ["the dear mode", { speed: "fast" }, "invalid_request_error", 400],
    ["a place that costs more", { inference_geo: "us" }, "invalid_request_error", 400],
    ["servers of its own", { mcp_servers: [] }, "invalid_request_error", 400],
    ["a container", { container: "c_1" }, "invalid_request_error", 400],
    [
      "a search that the provider makes",
      { tools: [{ type: "web_search_20250305", name: "s" }] },
      "invalid_request_error",
      400,
    ],
    [
      "code that the provider runs",
      { tools: [{ type: "code_execution_20250825", name: "c" }] },
      "invalid_request_error",
      400,
    ],
    [
      "the dear cache",
      { system: [{ type: "text", text: "x", cache_control: { type: "ephemeral", ttl: "1h" } }] },
      "invalid_request_error",
      400,
    ],
    ["the dear cache for all", { cache_control: { type: "ephemeral", ttl: "1h" } }, "invalid_request_error", 400],
    [
      "a file behind an address",
      { messages: [{ role: "user", content: [{ type: "document", source: { type: "url", url: "http://x" } }] }] },
      "invalid_request_error",
      400,
    ],
    ["a picture of no bytes", { messages: picture({}) }, "invalid_request_error", 400],
    [
      "a picture behind an address",
      { messages: picture({ type: "url", url: "http://x" }) },
      "invalid_request_error",
      400,
    ],
    [
      "a picture that was uploaded",
      { messages: picture({ type: "file", file_id: "f" }) },
      "invalid_request_error",
      400,
    ],
    [
      "a picture of vectors",
      { messages: picture({ ...PNG, media_type: "image/svg+xml" }) },
      "invalid_request_error",
      400,
    ],
    ["a picture that is text", { messages: picture({ ...PNG, data: "héllo" }) }, "invalid_request_error", 400],
    ["a picture with more to it", { messages: picture({ ...PNG, url: "http://x" }) }, "invalid_request_error", 400],
    ["more pictures than a brief has", { messages: picture(...Array(6).fill(PNG)) }, "invalid_request_error", 400],
    [
      "a picture in an output",
      {
        messages: [
          {
            role: "user",
            content: [{ type: "tool_result", tool_use_id: "a", content: [{ type: "image", source: {} }] }],
          },
        ],
      },
      "invalid_request_error",
      400,
    ],
    ["a second speaker", { messages: [{ role: "system", content: "x" }] }, "invalid_request_error", 400],
  ])("%s", async (_, more, type, status) => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const answer = await gateway.call(ask(more));
    expect(answer.status).toBe(status);
    expect((await errorIn(answer)).type).toBe(type);
    expect(provider.asked).toEqual([]);
  });

  test("of a name that stands twice, the one that was judged is the one that is sent", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const twice = call.replace("{", '{"model":"claude-opus-5","max_tokens":9,');
    expect(await gateway.raw(post("/v1/messages", twice))).toMatch(/^HTTP\/1\.1 200 /);
    expect(JSON.parse(provider.asked[0]?.body ?? "")).toEqual(ask());
    expect(provider.asked[0]?.body).not.toContain("opus");
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["no object", "7"],
    ["a pit", `{"model":"${MODEL}","max_tokens":1,"messages":${"[".repeat(2_000_000)}`],
  ])("a body of %s", async (_, body) => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    expect(await gateway.raw(post("/v1/messages", body))).toMatch(/^HTTP\/1\.1 400 /);
    expect(provider.asked).toEqual([]);
  });

  const content = (items: string): string =>
    `{"model":"${MODEL}","max_tokens":1,"messages":[{"role":"user","content":[${items}]}]}`;
  const times = (count: number, item: string): string => Array(count).fill(item).join(",");

  test.each([
    ["millions of blocks that are none", content(times(3_900_000, "1")), "too many values"],
    ["millions of fields", content(`{${times(700_000, '"a":1')}}`), "too many values"],
    ["a hundred thousand lists", content(times(100_000, "[]")), "too many values"],
    ["more blocks than any message has", content(times(10_001, "1")), "messages.0.content: "],
    [
      "one wrong block among thousands",
      content(`${times(5_000, '{"type":"text","text":"a"}')},1`),
      "messages.0.content",
    ],
    [
      "more messages than any conversation has",
      `{"model":"${MODEL}","max_tokens":1,"messages":[${times(10_001, '{"role":"user","content":"a"}')}]}`,
      "messages: has more than 10000 items",
    ],
    [
      "a wrong message among thousands, by its place",
      `{"model":"${MODEL}","max_tokens":1,"messages":[${times(99, '{"role":"user","content":"a"}')},${times(5_000, "1")}]}`,
      "messages.99: ",
    ],
  ])("a body of %s, in one sentence", async (_, body, words) => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const answer = await gateway.raw(post("/v1/messages", body));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain(words);
    expect(answer.length).toBeLessThan(1_000);
    expect(provider.asked).toEqual([]);
  });

  test("a long conversation is no attack", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const used = '{"type":"tool_use","id":"a","name":"shell","input":{"command":"ls","list":[1,2,3]}}';
    const gave = '{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"a, b"}]}';
    const turn = `{"role":"assistant","content":[${times(4, used)}]},{"role":"user","content":[${times(4, gave)}]}`;
    const body = `{"model":"${MODEL}","max_tokens":1,"messages":[${times(500, turn)}]}`;
    expect(await gateway.raw(post("/v1/messages", body))).toMatch(/^HTTP\/1\.1 (?:200|402) /);
  });

  test("a body without end", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const head = "POST /v1/messages HTTP/1.1\r\nhost: gateway\r\ncontent-length: 99999999\r\n\r\n";
    expect(await gateway.raw(head + "x".repeat(18_000_000))).toMatch(/^(HTTP\/1\.1 413 |$)/);
    expect((await gateway.call(ask())).status).toBe(200);
    expect(provider.asked).toHaveLength(1);
  });

  test("a body that does not come", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider, {}, undefined, { bodyMs: 50 });
    const head = "POST /v1/messages HTTP/1.1\r\nhost: gateway\r\ncontent-length: 100\r\n\r\n{";
    expect(await gateway.raw(head)).toMatch(/^HTTP\/1\.1 408 /);
    expect(provider.asked).toEqual([]);
  });

  test("without a key, where the provider wants one", async () => {
    const gateway = await startTested({ url: "" }, { ANTHROPIC_API_KEY: "" });
    const answer = await gateway.call(ask());
    expect(answer.status).toBe(401);
    expect((await errorIn(answer)).message).toContain("ANTHROPIC_API_KEY is not set");
  });
});

describe("a key that the provider quotes", () => {
  const SPELLINGS = [KEY, encodeURIComponent(KEY), Buffer.from(KEY).toString("base64")];
  const quoting = JSON.stringify({ error: { message: `é no such key: ${SPELLINGS.join(" ")}.` } });
  const blanked = quoting.replace(SPELLINGS.join(" "), "[secret] [secret] [secret]=");

  test.each([401, 200])("is taken out of its answer, with status %i", async (status) => {
    const provider = await startProvider((_, response) => sayJson(response, quoting, status));
    const gateway = await startTested(provider);
    expect(await (await fetch(`${gateway.url}/v1/models`)).text()).toBe(blanked);
    expect(await (await gateway.call(ask())).text()).toBe(blanked);
  });

  test.each([1, 7, 1_000])("is taken out of its stream, which comes in pieces of %i bytes", async (size) => {
    const long = "é".repeat(60_000);
    const bytes = Buffer.from(`event: error\ndata: ${quoting}\n\ndata: ${size === 1 ? "" : long}${quoting}`);
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const provider = await startProvider(async (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for await (const piece of pieces()) response.write(piece);
      response.end();
    });
    const gateway = await startTested(provider);
    const answer = await (await gateway.call(ask({ stream: true }))).text();
    expect(answer).toBe(bytes.toString().replaceAll(quoting, blanked));
  });
});

describe("a key that no header takes", () => {
  const read = (key: string) => readGateway({ ANTHROPIC_API_KEY: key, LLM_MODEL: MODEL, LLM_MAX_COST_CENTS: "5" });

  test.each(["two\nlines", "a\u00e9b", "a b", "a\0b"])(
    "is refused in words, as one that the provider refuses: %j",
    async (key) => {
      const settings = read(key);
      if (!settings.ok) throw new Error(settings.reason);
      const { provider } = settings.settings;
      const gateway = await startTested(await friendly(), {}, undefined, { provider });
      const answer = await gateway.call(ask());
      expect(answer.status).toBe(401);
      const { type, message } = await errorIn(answer);
      expect([type, message]).toEqual([
        "authentication_error",
        "ANTHROPIC_API_KEY holds invalid characters; copy the key again into the repository's secrets.",
      ]);
    },
  );

  test("is none of those that were copied with a line's end", () => {
    expect(read(` ${KEY}\r\n`)).toMatchObject({ settings: { provider: { credentials: { "x-api-key": KEY } } } });
  });

  test("whatever else fails within the gateway is answered, and told", async () => {
    const provider = { url: "http://127.0.0.1:1", own: true, credentials: { "x-api-key": "two\nlines" } };
    const gateway = await startTested(await friendly(), {}, undefined, { provider });
    const answer = await gateway.call(ask());
    expect(answer.status).toBe(502);
    expect((await errorIn(answer)).type).toBe("api_error");
    expect(gateway.said).toEqual([expect.stringMatching(/^A request failed in the gateway: .*x-api-key/)]);
  });
});

describe("who keeps the gateway waiting keeps nobody else from it", () => {
  const waiting = (port: number, bytes: string): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes, () => resolve(socket)));
      socket.on("error", () => {}).resume();
      onTestFinished(() => void socket.destroy());
    });

  test.each([
    ["connections that ask for nothing", 600, ""],
    ["requests whose body does not come", 40, "POST /v1/messages HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{"],
  ])("%s", async (_, count, bytes) => {
    const gateway = await startTested(await friendly());
    for (let at = 0; at < count; at += 1) await waiting(gateway.port, bytes);
    expect((await gateway.call(ask())).status).toBe(200);
  });
});
