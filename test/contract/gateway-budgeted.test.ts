/** Under a budget the gateway calls no model whose cost nobody knows. */
import { expect, test } from "vitest";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import { ask, errorIn, friendly, MODEL, startTested } from "./gateway-harness.ts";

const UNPRICED = "house-model";
const SENTENCE = "Blocked: house-model has no known price, and this run's cost limit is a budget's.";

test("a model without a price is refused before the provider hears of it, and costs nothing", async () => {
  const provider = await friendly();
  const gateway = await startTested(provider, { LLM_BUDGETED: "true", LLM_MODEL: UNPRICED });
  for (const stream of [false, true]) {
    const answer = await gateway.call(ask({ model: UNPRICED, stream }));
    expect(answer.status).toBe(403);
    expect(await errorIn(answer)).toEqual({ type: "permission_error", message: SENTENCE });
  }
  expect(provider.asked).toEqual([]);
  expect(gateway.said).toEqual([SENTENCE]);
  expect(await gateway.spent()).toMatchObject({ calls: 0, usage: { input_tokens: 0, output_tokens: 0 } });
});

test("a model with a price is called, and without a budget any model is", async () => {
  for (const [model, budgeted] of [
    [MODEL, "true"],
    [UNPRICED, ""],
    [UNPRICED, "false"],
  ] as const) {
    const provider = await friendly();
    const gateway = await startTested(provider, { LLM_BUDGETED: budgeted, LLM_MODEL: model });
    expect((await gateway.call(ask({ model }))).status).toBe(200);
    expect(provider.asked).toHaveLength(1);
  }
});

test("the model that takes the place of one that is not there is called at its own price", async () => {
  const provider = await friendly();
  const gateway = await startTested(provider, { LLM_BUDGETED: "true", LLM_MODEL: UNPRICED });
  expect((await gateway.call(ask({ model: DEFAULT_MODEL }))).status).toBe(200);
  expect(provider.asked).toHaveLength(1);
});
