import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import { costCents } from "../../src/contracts/models.ts";
import {
  ask,
  errorIn,
  event,
  friendly,
  KEY,
  MODEL,
  message,
  sayJson,
  startProvider,
  startTested,
  USAGE,
} from "./gateway-harness.ts";

const COST =
  costCents(MODEL, { input_tokens: 10, output_tokens: 20, cache_read_tokens: 0, cache_write_tokens: 0 }) ?? 0;

describe("what is let through", () => {
  test("a call, with the key, without anything else that the caller says of itself", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const answer = await gateway.call(ask({ system: "be kind", temperature: 0.5 }), {
      "x-api-key": "own-key",
      authorization: "Bearer own-token",
      cookie: "a=b",
      "x-forwarded-for": "10.0.0.1",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "prompt-caching-2024-07-31, fast-mode-2026-02-01,context-1m-2025-08-07",
      "anthropic-dangerous-direct-browser-access": "true",
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(message(USAGE));
    const [asked] = provider.asked;
    expect(asked).toMatchObject({ method: "POST", url: "/v1/messages" });
    expect(JSON.parse(asked?.body ?? "")).toEqual(ask({ system: "be kind", temperature: 0.5 }));
    expect(asked?.headers).toEqual({
      host: new URL(provider.url).host,
      connection: "close",
      "x-api-key": KEY,
      authorization: `Bearer ${KEY}`,
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "prompt-caching-2024-07-31",
      "content-type": "application/json",
      "content-length": String(asked?.body.length),
      accept: "application/json",
      "accept-encoding": "identity",
      "user-agent": "journeyman-gateway",
    });
  });

  test("the SDK's own calls, streamed or not, below the path of the provider's address", async () => {
    const provider = await startProvider(({ url, body }, response) => {
      if (url.endsWith("count_tokens")) return sayJson(response, JSON.stringify({ input_tokens: 7 }));
      if (url.includes("/v1/models")) return sayJson(response, JSON.stringify({ data: [], has_more: false }));
      if (!body.includes('"stream":true')) return sayJson(response, message(USAGE));
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      const start = JSON.parse(message({ input_tokens: 10, output_tokens: 1 }));
      response.write(event({ type: "message_start", message: { ...start, content: [], stop_reason: null } }));
      response.write(event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }));
      response.write(event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hi" } }));
      response.write(event({ type: "content_block_stop", index: 0 }));
      response.write(
        event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 20 } }),
      );
      response.end(event({ type: "message_stop" }));
    });
    const gateway = await startTested({ url: `${provider.url}/below/` });
    const client = new Anthropic({ apiKey: "none", authToken: null, baseURL: gateway.url, maxRetries: 0 });
    const body = { model: MODEL, max_tokens: 100, messages: [{ role: "user" as const, content: "hello" }] };
    expect((await client.messages.create(body)).content).toEqual([{ type: "text", text: "hello" }]);
    const streamed = await client.messages.stream(body).finalMessage();
    // What was told of the cost is true before the caller can ask.
    expect(await gateway.spent()).toEqual({
      cents: COST * 2,
      calls: 2,
      usage: { input_tokens: 20, output_tokens: 40, cache_read_tokens: 0, cache_write_tokens: 0 },
    });
    expect(streamed.content).toMatchObject([{ type: "text", text: "hi" }]);
    const { max_tokens: _, ...counted } = body;
    expect(await client.messages.countTokens(counted)).toEqual({ input_tokens: 7 });
    await client.models.list({ limit: 5, lifecycle: ["active", "retired"] });
    await client.models.retrieve("claude-sonnet-5-5").catch(() => {});
    expect(provider.asked.map(({ url }) => url)).toEqual([
      "/below/v1/messages",
      "/below/v1/messages",
      "/below/v1/messages/count_tokens",
      "/below/v1/models?limit=5&lifecycle%5B%5D=active&lifecycle%5B%5D=retired",
      "/below/v1/models/claude-sonnet-5-5",
    ]);
    expect(provider.asked.every(({ headers }) => headers["x-api-key"] === KEY)).toBe(true);
    expect((await gateway.spent()).calls).toBe(2);
  });

  test("calls for the model that follows a retired one, at its own price, and for no other", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider, { LLM_MODEL: "claude-opus-4-1" });
    const cents: (number | null)[] = [];
    for (const model of ["claude-opus-4-1", "claude-opus-5-5"]) {
      expect((await gateway.call(ask({ model }))).status).toBe(200);
      cents.push((await gateway.spent()).cents);
    }
    const price = (model: string) => costCents(model, { ...USAGE, cache_read_tokens: 0, cache_write_tokens: 0 }) ?? 0;
    expect(cents[0]).toBeCloseTo(price("claude-opus-4-1"));
    expect(cents[1]).toBeCloseTo(price("claude-opus-4-1") + price("claude-opus-5-5"));
    expect((await gateway.call(ask({ model: "claude-haiku-5-5" }))).status).toBe(403);
  });

  test("everything that the agent itself sends", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider);
    const cache_control = { type: "ephemeral" };
    const body = ask({
      system: [{ type: "text", text: "x", cache_control }],
      tools: [
        { type: "bash_20250124", name: "bash" },
        { type: "text_editor_20250728", name: "str_replace_based_edit_tool" },
        { name: "finish", input_schema: { type: "object", properties: { deep: { type: "object" } } } },
      ],
      messages: [
        { role: "user", content: [{ type: "text", text: "go" }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "abc" },
            { type: "tool_use", id: "tu_1", name: "bash", input: { command: 'echo "[[[{{{"', ttl: "1h" } },
          ],
        },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "tu_1", content: "", is_error: true, cache_control }],
        },
      ],
    });
    expect((await gateway.call(body)).status).toBe(200);
    expect(JSON.parse(provider.asked[0]?.body ?? "")).toEqual(body);
  });
});

describe("what the provider answers", () => {
  test.each([302, 307, 308])("status %i: nobody follows, and the key goes nowhere", async (status) => {
    const other = await friendly();
    const provider = await startProvider((_, response) =>
      response.writeHead(status, { location: `${other.url}/v1/messages` }).end(),
    );
    const gateway = await startTested(provider);
    const answer = await gateway.call(ask());
    expect(answer.status).toBe(502);
    expect(answer.headers.get("location")).toBeNull();
    expect(other.asked).toEqual([]);
    expect(await gateway.spent()).toMatchObject({ cents: 0, calls: 0 });
  });

  test("an error is passed on with the time to wait, costs nothing, and brings no header of its own", async () => {
    const provider = await startProvider((_, response) => {
      response.writeHead(529, { "content-type": "application/json", "retry-after": "7", "set-cookie": "a=b" });
      response.end('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}');
    });
    const gateway = await startTested(provider);
    const answer = await gateway.call(ask());
    expect(answer.status).toBe(529);
    expect(answer.headers.get("retry-after")).toBe("7");
    expect(answer.headers.get("set-cookie")).toBeNull();
    expect((await errorIn(answer)).type).toBe("overloaded_error");
    expect(await gateway.spent()).toMatchObject({ cents: 0, calls: 0 });
  });

  test("nobody there: told so, and costs nothing", async () => {
    const gateway = await startTested({ url: "http://127.0.0.1:1" });
    const answer = await gateway.call(ask());
    expect(answer.status).toBe(502);
    expect(await errorIn(answer)).toEqual({
      type: "api_error",
      message: "The provider could not be reached: ECONNREFUSED.",
    });
    expect(await gateway.spent()).toMatchObject({ cents: 0, calls: 0 });
  });
});
