import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Cancellation } from "../../agent/loop/cancellation.ts";
import { Conversation } from "../../agent/loop/conversation.ts";
import { openProvider } from "../../agent/provider/provider.ts";
import type { Brief } from "../../src/contracts/brief.ts";
import { makeCheckout, runAgent } from "./agent-job.ts";
import { bash, begun, ended, finish, scriptedModel, type Turn } from "./scripted-model.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function play(script: readonly Turn[], brief: Partial<Brief> = {}) {
  const model = await scriptedModel(script);
  const checkout = makeCheckout(brief);
  closing.push(model.close, checkout.remove);
  const ran = await runAgent(checkout, { ANTHROPIC_BASE_URL: model.url });
  return { model, checkout, ...ran, result: checkout.result() };
}

const errorEvent = (type: string, message: string) => ({ type: "error", error: { type, message } });
const HALF = '{"command": "touch torn';

describe("an answer that breaks off", () => {
  test.each([
    ["with the connection", { events: begun(HALF), after: "drop" }],
    ["with the end of the stream", { events: begun(HALF), after: "end" }],
    ["before its first event", { events: [], after: "drop" }],
    ["with an overload", { events: [...begun(HALF), errorEvent("overloaded_error", "Overloaded")], after: "end" }],
  ] satisfies [string, Turn][])("%s is asked for again, and nothing of it is run", async (_, turn) => {
    const { checkout, model, result } = await play([bash("true"), turn, bash("touch whole"), finish()]);
    expect(result).toMatchObject({ outcome: "done", usage: { turns: 3 } });
    expect(existsSync(join(checkout.folder, "torn"))).toBe(false);
    expect(existsSync(join(checkout.folder, "whole"))).toBe(true);
    expect(model.requests[2]).toEqual(model.requests[1]);
  });

  test("is counted with what it said that it used, and is no turn", async () => {
    const { result } = await play([{ events: begun(HALF), after: "drop" }, finish()]);
    expect(result.usage).toMatchObject({ turns: 1, input_tokens: 200, output_tokens: 11 });
  });

  test("five in a row end the run with the work kept", async () => {
    const { code, checkout, model, result } = await play([
      bash("echo kept > kept.txt"),
      { events: begun(HALF), after: "drop" },
    ]);
    expect(code).toBe(1);
    expect(result.outcome).toBe("failed");
    expect(result.reason).toMatch(/^5 answers of the provider broke off in a row/);
    expect(model.requests).toHaveLength(6);
    expect(checkout.file("kept.txt")).toBe("kept\n");
  });

  test("is not asked for again once what the broken ones cost has used up the budget", async () => {
    const dear = { events: begun(HALF, { input_tokens: 1_000_000, output_tokens: 1 }), after: "drop" } as const;
    const { model, result } = await play([dear], { limits: { minutes: 5, turns: 10, cost_cents: 350 } });
    expect(result).toMatchObject({ outcome: "limit", reason: expect.stringContaining("350.0 cents") });
    expect(model.requests).toHaveLength(2);
    expect(result.cost_cents).toBeGreaterThan(400);
  });

  test("with a refusal of the request is not asked for again", async () => {
    const events = [errorEvent("invalid_request_error", "tools.0: no such tool")];
    const { model, result } = await play([{ events, after: "end" }]);
    expect(result.reason).toContain("no such tool");
    expect(model.requests).toHaveLength(1);
  });

  test("by falling silent is given up", async () => {
    const model = await scriptedModel([{ events: begun(HALF), after: "hang" }]);
    closing.push(model.close);
    const opened = await openProvider({ provider: "anthropic", apiKey: "k", baseUrl: model.url, silenceMs: 50 });
    if (!opened.ok) throw new Error("not opened");
    const request = { model: "m", max_tokens: 10, messages: [{ role: "user", content: [] }], system: [], tools: [] };
    const asked = await opened.ask(
      { ...request, messages: [{ role: "user", content: [{ type: "text", text: "go" }] }] },
      new AbortController().signal,
    );
    expect(asked).toMatchObject({ kind: "broken", reason: "no data for 0.05 s", used: { input_tokens: 100 } });
  });
});

test("a cancel in the middle of an answer ends the run at once, and nothing of the answer is run", async () => {
  const model = await scriptedModel([bash("echo kept > kept.txt"), { events: begun(HALF), after: "hang" }]);
  const checkout = makeCheckout();
  closing.push(model.close, checkout.remove);
  const cancellation = new Cancellation();
  const running = runAgent(checkout, { ANTHROPIC_BASE_URL: model.url }, cancellation);
  await model.reached(2);
  cancellation.interrupt({ kind: "cancelled", by: "SIGTERM" });
  expect((await running).code).toBe(1);
  expect(checkout.result()).toMatchObject({ outcome: "failed", reason: "Cancelled while it ran (SIGTERM)." });
  expect(checkout.file("kept.txt")).toBe("kept\n");
  expect(existsSync(join(checkout.folder, "torn"))).toBe(false);
});

describe("tool input that is no whole JSON object", () => {
  test.each([
    ["half of one", HALF],
    ["a list", '["touch torn"]'],
    ["words", "touch torn"],
    ["two of them", '{"command":"touch torn"}{"command":"ls"}'],
  ])("%s is not run, and the model is told", async (_, sent) => {
    const torn: Turn = { events: [...begun(sent), ...ended()], after: "end" };
    const { checkout, model, result } = await play([torn, finish()]);
    expect(existsSync(join(checkout.folder, "torn"))).toBe(false);
    expect(result.outcome).toBe("done");
    const [asked, answered] = model.requests[1]?.messages.slice(-2) ?? [];
    expect(asked?.content[0]).toMatchObject({ type: "tool_use", input: {} });
    expect(answered?.content[0]).toMatchObject({
      is_error: true,
      content: expect.stringContaining("not a complete JSON"),
    });
  });

  test("three such answers in a row end the run", async () => {
    const { code, result } = await play([{ events: [...begun("nonsense"), ...ended()], after: "end" }]);
    expect([code, result.outcome]).toEqual([1, "failed"]);
    expect(result.reason).toContain("3 answers in a row");
  });
});

describe("a window that fills up", () => {
  const long = bash("head -c 9000 /dev/zero | tr '\\0' x");
  const sent = (request: object | undefined): string => JSON.stringify(request);

  test("is emptied before it is full: old outputs go, the task and the latest stay", async () => {
    const filling: Turn = { ...long, usage: { input_tokens: 150_000, output_tokens: 10 } };
    const { model, checkout } = await play([...Array<Turn>(8).fill(long), filling, long, finish()], {
      limits: { minutes: 5, turns: 20, cost_cents: 5_000 },
    });
    expect(sent(model.requests[8]).match(/removed to save space/g)).toBeNull();
    const after = sent(model.requests[9]);
    expect(after.match(/removed to save space/g)).toHaveLength(8);
    expect(after).toContain("Create HELLO.md");
    expect(after.length).toBeLessThan(sent(model.requests[8]).length);
    expect(checkout.log().some((line) => /Left out \d+ characters/.test(line.text))).toBe(true);
  });

  test("costs the older outputs alone where that is enough", () => {
    const conversation = new Conversation();
    conversation.add("user", [{ type: "text", text: "the task" }]);
    for (let turn = 0; turn < 20; turn += 1) {
      conversation.add("assistant", [{ type: "tool_use", id: `t${turn}`, name: "bash", input: { command: "ls" } }]);
      conversation.add("user", [{ type: "tool_result", tool_use_id: `t${turn}`, content: "z".repeat(1_000) }]);
    }
    expect(conversation.dropOldOutputs()).toBeGreaterThan(14 * 900);
    const left = conversation.messages().map((message) => JSON.stringify(message).includes("zzz"));
    expect(left.filter(Boolean)).toHaveLength(6);
    expect(left.slice(-12).filter(Boolean)).toHaveLength(6);
    expect(conversation.dropOldOutputs()).toBe(0);
  });

  test("and when the provider says that it is full, more goes and it is asked again, once", async () => {
    const full: Turn = { status: 400, error: "prompt is too long: 210000 tokens > 200000 maximum" };
    const { model, result } = await play([long, long, long, full, finish()]);
    expect(result.outcome).toBe("done");
    expect(sent(model.requests[4]).match(/removed to save space/g)).toHaveLength(2);
    const never = await play([long, long, full]);
    expect(never.result).toMatchObject({ outcome: "limit", reason: expect.stringContaining("no longer fits") });
    expect(never.model.requests).toHaveLength(4);
  });

  test("long texts in old calls are cut as well, the calls themselves stay", async () => {
    const text = "y".repeat(5_000);
    const write = { content: [{ type: "tool_use", id: "tu_w", name: "bash", input: { command: `: ${text}` } }] };
    const full: Turn = { status: 400, error: "prompt is too long" };
    const { model } = await play([write, bash("true"), full, finish()]);
    expect(sent(model.requests[2])).toContain(text);
    expect(sent(model.requests[3])).not.toContain(text);
    expect(sent(model.requests[3])).toContain(": yyy");
  });
});
