/** The run's cost limit applies to every caller, and the reported cost is never below the true one. */
import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, test, vi } from "vitest";
import { Budget, MIN_ANSWER } from "../../agent/gateway/budget.ts";
import { readGateway } from "../../agent/gateway/settings.ts";
import { LOWERED_HEADER } from "../../src/contracts/gateway.ts";
import { costCents } from "../../src/contracts/models.ts";
import type { Usage } from "../../src/contracts/result.ts";
import {
  ask,
  errorIn,
  event,
  friendly,
  MODEL,
  message,
  sayJson,
  startProvider,
  startTested,
  USAGE,
} from "./gateway-harness.ts";

const cents = (usage: Partial<Usage>): number =>
  costCents(MODEL, {
    ...{ input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 },
    ...usage,
  }) ?? 0;

/** What is sent of `ask()`, taken for its bytes. */
const INPUT = Buffer.byteLength(JSON.stringify(ask())) + 2_000;
/** The most that a call of {@link ask} can cost. */
const MOST = cents({ cache_write_tokens: INPUT, output_tokens: 1_000 });

/** However slow the machine is. */
const until = (holds: () => unknown): Promise<unknown> => vi.waitFor(holds, { timeout: 60_000 });

const cap = (value: number) => ({ LLM_MAX_COST_CENTS: String(value) });
const sentMaxTokens = (body: string | undefined): unknown => JSON.parse(body ?? "").max_tokens;
/** A provider that cannot count. */
const uncounting = () =>
  startProvider(({ url }, response) => sayJson(response, message(USAGE), url.endsWith("count_tokens") ? 404 : 200));

describe("before the call", () => {
  test("an answer that might cost too much is asked for in fewer tokens, and the caller is told", async () => {
    const provider = await uncounting();
    const gateway = await startTested(provider, cap(10));
    const answer = await gateway.call(ask({ max_tokens: 1_000_000 }));
    expect(answer.status).toBe(200);
    const lowered = Number(answer.headers.get(LOWERED_HEADER));
    expect(sentMaxTokens(provider.asked.at(-1)?.body)).toBe(lowered);
    const bound = { cache_write_tokens: INPUT + 3, output_tokens: lowered };
    expect(cents(bound)).toBeLessThanOrEqual(10);
    expect(cents({ ...bound, output_tokens: lowered + 3 })).toBeGreaterThan(10);
  });

  test("one that fits is asked for as it is, and nobody is asked to count", async () => {
    const provider = await friendly();
    const gateway = await startTested(provider, cap(MOST + 0.001));
    const answer = await gateway.call(ask());
    expect(answer.headers.get(LOWERED_HEADER)).toBeNull();
    expect(provider.asked.map(({ url }) => url)).toEqual(["/v1/messages"]);
  });

  test("what does not fit by its bytes is counted by the provider, without what has no tokens", async () => {
    const count = 100;
    const provider = await startProvider(({ url }, response) =>
      sayJson(response, url.endsWith("count_tokens") ? JSON.stringify({ input_tokens: count }) : message(USAGE)),
    );
    const gateway = await startTested(provider, cap(5));
    const messages = [{ role: "user", content: "word ".repeat(20_000) }];
    const answer = await gateway.call(ask({ messages, stream: false, temperature: 1, top_k: 1, metadata: {} }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(provider.asked[0]?.body ?? "")).toEqual({ model: MODEL, messages });
    expect(sentMaxTokens(provider.asked[1]?.body)).toBe(1_000);
  });

  test("one that would be cut too soon to be of use is not made, and no client tries it again", async () => {
    const provider = await uncounting();
    const gateway = await startTested(
      provider,
      cap(cents({ cache_write_tokens: INPUT, output_tokens: MIN_ANSWER - 1 })),
    );
    const client = new Anthropic({ apiKey: "none", authToken: null, baseURL: gateway.url, maxRetries: 5 });
    const call = client.messages.create({
      model: MODEL,
      max_tokens: 9_999,
      messages: [{ role: "user", content: "hello" }],
    });
    await expect(call).rejects.toMatchObject({ status: 402, type: "billing_error" });
    expect(provider.asked.map(({ url }) => url)).toEqual(["/v1/messages/count_tokens"]);
    const { cost_limit: limit, message: words } = await errorIn(await gateway.call(ask({ max_tokens: 9_999 })));
    expect(limit).toMatchObject({ spent_cents: 0, cap_cents: expect.any(Number), next_cents: expect.any(Number) });
    expect(words).toMatch(
      /^The call was not sent: 0\.0 of the run's [\d.]+ cents are spent and it may cost [\d.]+ cents\.$/,
    );
  });

  test("calls at once reserve together: what they may cost is not spent twice", async () => {
    const held: (() => void)[] = [];
    const provider = await startProvider(({ url }, response) => {
      if (url.endsWith("count_tokens")) return sayJson(response, "{}", 404);
      held.push(() => sayJson(response, message(USAGE)));
    });
    const gateway = await startTested(provider, cap(MOST * 1.5));
    const first = gateway.call(ask());
    await until(() => expect(held).toHaveLength(1));
    expect((await gateway.spent()).cents).toBeCloseTo(MOST, 10);
    const second = await gateway.call(ask());
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBe("1");
    held[0]?.();
    expect((await first).status).toBe(200);
    const third = gateway.call(ask());
    await until(() => expect(held).toHaveLength(2));
    held[1]?.();
    expect((await third).status).toBe(200);
    expect((await gateway.spent()).cents).toBeCloseTo(2 * cents(USAGE), 10);
  });

  test("a model that follows the run's own and has no price is no way around the limit, and its cost is not known", async () => {
    const provider = await uncounting();
    const gateway = await startTested(provider, { ...cap(20), LLM_MODEL: "claude-mythos-5-1" });
    const model = "claude-mythos-5-2";
    const answer = await gateway.call(ask({ model, max_tokens: 1_000_000 }));
    expect(Number(answer.headers.get(LOWERED_HEADER))).toBeLessThan(2_200);
    expect((await gateway.spent()).cents).toBeNull();
    for (let calls = 0; calls < 500; calls += 1) {
      const { status } = await gateway.call(ask({ model, max_tokens: 1_000_000 }));
      if (status === 402) return;
    }
    throw new Error("nothing has ended it");
  });

  test("a known model without a price is bound by the dearest price, and its cost is not known", async () => {
    const provider = await uncounting();
    const gateway = await startTested(provider, { ...cap(20), LLM_MODEL: "claude-mythos-5-2" });
    const answer = await gateway.call(ask({ model: "claude-mythos-5-2", max_tokens: 1_000_000 }));
    expect(answer.status).toBe(200);
    const lowered = Number(answer.headers.get(LOWERED_HEADER));
    // 75 $ for a million tokens of an answer, 18.75 $ for what is written to the cache.
    expect(lowered).toBeGreaterThanOrEqual(MIN_ANSWER);
    expect(lowered * 0.0075 + INPUT * 0.001875).toBeLessThanOrEqual(20);
    expect((await gateway.spent()).cents).toBeNull();
  });

  test.each([
    ["at the provider's own address, it is bound", false, "over"],
    ["at a gateway of one's own, there is no price", true, "reserved"],
  ] as const)("a model that no table knows: %s", (_, own, kind) => {
    const budget = new Budget("claude-sonnet-6", 1, !own);
    expect(budget.reserve({ input: 10_000, output: 10_000 }).kind).toBe(kind);
    expect(budget.fits({ input: 10_000, output: 10_000 })).toBe(own);
    expect(budget.spent.cents).toBeNull();
  });

  test("whose address it is, the settings say", () => {
    const environment = { LLM_MODEL: "claude-sonnet-6", LLM_MAX_COST_CENTS: "5" };
    expect(readGateway(environment)).toMatchObject({ settings: { provider: { own: false } } });
    expect(readGateway({ ...environment, ANTHROPIC_BASE_URL: "https://api.anthropic.com/" })).toMatchObject({
      settings: { provider: { own: false } },
    });
    expect(readGateway({ ...environment, ANTHROPIC_BASE_URL: "http://localhost:1" })).toMatchObject({
      settings: { provider: { own: true } },
    });
  });

  test("a model of one's own without a price has no limit: its tokens are counted, and only so many calls are made at once", async () => {
    const held: (() => void)[] = [];
    const provider = await startProvider((_, response) => held.push(() => sayJson(response, message(USAGE))));
    const gateway = await startTested(provider, { ...cap(0.001), LLM_MODEL: "local/qwen" });
    const body = ask({ model: "local/qwen", max_tokens: 500_000 });
    const calls = [1, 2, 3, 4].map(() => gateway.call(body));
    await until(() => expect(held).toHaveLength(4));
    expect((await gateway.call(body)).status).toBe(429);
    for (const answer of held) answer();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await gateway.spent()).toEqual({
      cents: null,
      calls: 4,
      usage: { input_tokens: 40, output_tokens: 80, cache_read_tokens: 0, cache_write_tokens: 0 },
    });
  });
});

const START = event({
  type: "message_start",
  message: { usage: { input_tokens: 7, cache_read_input_tokens: 5, output_tokens: 1 } },
});
const WORD = event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hi" } });
const COUNT = event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 20 } });
const STOP = event({ type: "message_stop" });
const ERROR = event({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } });
const SAID = { input_tokens: 7, cache_read_tokens: 5, output_tokens: 20 };
const NOT_COUNTED = { ...SAID, output_tokens: 1_000 };
const RESERVED = { cache_write_tokens: INPUT + ',"stream":true'.length, output_tokens: 1_000 };

describe("after the call", () => {
  test.each([
    ["as it says, once it is whole", [START, WORD, COUNT, STOP], SAID],
    ["as it says, once it is counted, though its end is missing", [START, WORD, COUNT], SAID],
    ["with all that was asked for, when it breaks off in the middle", [START, WORD], NOT_COUNTED],
    ["with all that was asked for, when an error ends it", [START, WORD, ERROR], NOT_COUNTED],
    [
      "with all that was asked for, when a count comes without its number",
      [START, event({ type: "message_delta", delta: {} })],
      NOT_COUNTED,
    ],
    ["with what was reserved, when nothing has come", [], RESERVED],
    [
      "with what was reserved, when it does not say what it has read",
      [event({ type: "message_start", message: {} }), WORD],
      RESERVED,
    ],
    ["with nothing, when the provider says no before it begins", [ERROR], {}],
    [
      "with the larger of two numbers, when it counts backwards",
      [START, event({ type: "message_delta", usage: { output_tokens: 30 } }), COUNT, STOP],
      { ...SAID, output_tokens: 30 },
    ],
    [
      "with more than was reserved, when that is the truth",
      [START, event({ type: "message_delta", usage: { output_tokens: 9_999 } }), STOP],
      { ...SAID, output_tokens: 9_999 },
    ],
    [
      "as it says, when its lines are very long",
      [START, event({ type: "content_block_delta", text: "x".repeat(400_000) }), COUNT, STOP],
      SAID,
    ],
  ])("a stream is charged %s", async (_, events, usage) => {
    for (const drop of [false, true]) {
      const provider = await startProvider((_asked, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`: ping\n\n${events.join("")}`, () => (drop ? response.socket?.destroy() : response.end()));
      });
      const gateway = await startTested(provider);
      const answer = await gateway.call(ask({ stream: true }));
      await answer.text().catch(() => {});
      await until(async () => expect((await gateway.spent()).cents).toBeCloseTo(cents(usage), 10));
    }
  });

  test.each([
    ["an answer that does not say what it has used", (body: string) => body.replace("usage", "other")],
    ["an answer that is no JSON", () => "hello"],
  ])("%s is charged with what was reserved", async (_, spoil) => {
    const provider = await startProvider((_asked, response) => sayJson(response, spoil(message(USAGE))));
    const gateway = await startTested(provider);
    expect((await gateway.call(ask())).status).toBe(200);
    expect(await gateway.spent()).toMatchObject({ cents: MOST, calls: 1 });
  });

  test.each([
    [
      "in the middle of its answer",
      (response: Parameters<typeof sayJson>[0]) =>
        response.writeHead(200, { "content-length": 99 }).write("{", () => response.socket?.destroy()),
    ],
    ["before its answer", (response: Parameters<typeof sayJson>[0]) => response.socket?.destroy()],
  ])("a provider that hangs up %s may have charged it", async (_, hangUp) => {
    const provider = await startProvider((_asked, response) => void hangUp(response));
    const gateway = await startTested(provider);
    expect((await gateway.call(ask())).status).toBe(502);
    expect(await gateway.spent()).toMatchObject({ cents: MOST, calls: 1 });
  });

  test.each([true, false])(
    "a caller that goes away takes the call along, which is charged whole (streamed: %s)",
    async (stream) => {
      let gone = false;
      let came = false;
      const provider = await startProvider((_asked, response) => {
        response.once("close", () => {
          gone = true;
        });
        if (stream) response.writeHead(200, { "content-type": "text/event-stream" }).write(START + WORD);
        came = true;
      });
      const gateway = await startTested(provider);
      const leaving = new AbortController();
      const call = fetch(`${gateway.url}/v1/messages`, {
        method: "POST",
        body: JSON.stringify(ask({ stream })),
        signal: leaving.signal,
      });
      await until(() => expect(came).toBe(true));
      if (stream) await (await call).body?.getReader().read();
      leaving.abort();
      await call.catch(() => {});
      await until(() => expect(gone).toBe(true));
      const usage = stream ? NOT_COUNTED : { ...RESERVED, cache_write_tokens: INPUT + ',"stream":false'.length };
      await until(async () => expect(await gateway.spent()).toMatchObject({ calls: 1, cents: cents(usage) }));
    },
  );
});
