/** What the model's shell may try against the gateway that it finds beside the agent. */
import { describe, expect, test } from "vitest";
import { ask, errorIn, friendly, MODEL, startTested } from "./gateway-kit.ts";

describe("what is refused before the provider hears of it", () => {
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

  test("with a sentence in the provider's shape, which the agent hears of too", async () => {
    const gateway = await startTested(await friendly());
    const answer = await fetch(`${gateway.url}/v1/files?x=$(id)`, { method: "POST", body: "{}" });
    const sentence =
      "Not let through: POST /v1/files?x=??id? is none of the model's calls that jobs may make: POST /v1/messages, POST /v1/messages/count_tokens and GET /v1/models.";
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
    [
      "a picture",
      { messages: [{ role: "user", content: [{ type: "image", source: {} }] }] },
      "invalid_request_error",
      400,
    ],
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

  test("a body without end", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const head = "POST /v1/messages HTTP/1.1\r\nhost: gateway\r\ncontent-length: 99999999\r\n\r\n";
    expect(await gateway.raw(head + "x".repeat(9_000_000))).toMatch(/^(HTTP\/1\.1 413 |$)/);
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
