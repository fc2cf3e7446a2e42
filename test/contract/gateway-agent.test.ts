/** The agent with the gateway: how it handles the cost limit, and a gateway that is missing. */
import { expect, onTestFinished, test } from "vitest";
import { GatewayClient } from "../../agent/provider/gateway-client.ts";
import { SPENT_PATH } from "../../src/contracts/gateway.ts";
import { costCents } from "../../src/contracts/models.ts";
import { NO_USAGE } from "../../src/contracts/result.ts";
import { BRIEF, makeCheckout, runAgent } from "../unit/agent-job.ts";
import { bash, finish, scriptedModel, type Turn } from "../unit/scripted-model.ts";
import { KEY, sayJson, startProvider, startTested } from "./gateway-harness.ts";

const MODEL = BRIEF.llm.model;

async function play(script: readonly Turn[], capCents: number, brief: object = {}) {
  const model = await scriptedModel(script);
  const checkout = makeCheckout(brief);
  onTestFinished(async () => {
    checkout.remove();
    await model.close();
  });
  const gateway = await startTested(model, { LLM_MODEL: MODEL, LLM_MAX_COST_CENTS: String(capCents) });
  const ran = await runAgent(checkout, { MODEL_GATEWAY: gateway.url, ANTHROPIC_BASE_URL: "http://127.0.0.1:1" });
  return { model, checkout, gateway, ...ran, result: checkout.result() };
}

test("the gateway is the way to the model, whatever else the agent is told", async () => {
  const { model, result, printed } = await play([bash("true"), finish("done")], 500);
  expect(result.outcome).toBe("done");
  expect(model.headers.map((headers) => headers["x-api-key"])).toEqual([KEY, KEY]);
  expect(printed).not.toContain(KEY);
});

test("an answer that the limit of cost cuts short is no fault of the model: it is told, and the limit ends the run", async () => {
  const cut: Turn = { content: [{ type: "text", text: "and so" }], stop_reason: "max_tokens" };
  const llm = { ...BRIEF.llm, max_tokens: 8_000 };
  // The gateway's cap is lower than what the agent knows of.
  const { model, result, checkout } = await play(
    [
      { ...cut, usage: { input_tokens: 100, output_tokens: 2_000 } },
      { ...cut, usage: { input_tokens: 100, output_tokens: 1_500 } },
    ],
    7,
    { llm, limits: { minutes: 5, turns: 20, cost_cents: 500 } },
  );
  const allowed = model.requests.map(({ max_tokens }) => max_tokens);
  expect(allowed.length).toBeGreaterThan(1);
  for (const tokens of allowed) expect(tokens).toBeLessThan(8_000);
  const [told] = model.requests[1]?.messages.at(-1)?.content ?? [];
  expect(told).toMatchObject({
    text: expect.stringMatching(/^Your answer was cut at \d+ tokens, since the cost limit/),
  });
  expect(result).toMatchObject({
    outcome: "limit",
    reason: expect.stringMatching(/^Stopped before the cost limit of 7\.0 cents/),
  });
  expect(result.cost_cents).toBeLessThanOrEqual(7);
  expect(checkout.log().some(({ text }) => text.includes("answers in a row"))).toBe(false);
});

test("a gateway that does not say at the end what was spent leaves the agent's own count, and the log says so", async () => {
  const model = await scriptedModel([finish("done")]);
  const checkout = makeCheckout();
  onTestFinished(async () => {
    checkout.remove();
    await model.close();
  });
  let told = 0;
  const nothing = { cents: 0, calls: 0, usage: { ...NO_USAGE } };
  const silent = await startProvider(({ url, body }, response) => {
    if (url === SPENT_PATH) return sayJson(response, told++ === 0 ? JSON.stringify(nothing) : "gone");
    if (url !== "/v1/messages") return sayJson(response, "{}", 404);
    void fetch(model.url + url, { method: "POST", body }).then(async (answer) => {
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(await answer.text());
    });
  });
  expect((await runAgent(checkout, { MODEL_GATEWAY: silent.url })).code).toBe(0);
  const warned = checkout.log().filter(({ text }) => text.startsWith("The gateway did not report the run's cost"));
  expect(warned).toHaveLength(1);
  const { usage, cost_cents: cents } = checkout.result();
  expect(usage).toMatchObject({ turns: 1, input_tokens: 100, output_tokens: 10 });
  expect(cents).toBe(costCents(MODEL, usage));
});

test("a gateway that never answers is not waited for without end, and one that is told to stop not at all", async () => {
  const nowhere = new GatewayClient("http://127.0.0.1:1");
  let elapsed = 0;
  const pause = async (ms: number): Promise<void> => {
    elapsed += ms;
  };
  const signal = new AbortController().signal;
  const said = "The gateway beside the agent, which leads to the model, did not answer within 60 s.";
  expect(await nowhere.waitFor({ elapsedMs: () => elapsed, pause, signal })).toBe(said);
  expect(elapsed).toBe(60_000);
  elapsed = 0;
  expect(await nowhere.waitFor({ elapsedMs: () => elapsed, pause, signal: AbortSignal.abort() })).toBe(said);
  expect(elapsed).toBe(0);
});
