import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import { Secret } from "../../src/contracts/secret.ts";
import { deterministicEstimator } from "../../src/llm/estimate.ts";
import { createEstimator } from "../../src/llm/estimator.ts";
import { openModel } from "../../src/llm/model.ts";
import { logTo } from "../../src/main/log.ts";
import { apiError, type ModelReply } from "../sandbox/model/protocol.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";

let server: Model;

beforeEach(async () => {
  server = await startModel();
});
afterEach(() => server.close());

const estimator = () =>
  createEstimator(
    openModel(
      {
        provider: "anthropic",
        model: DEFAULT_MODEL,
        max_tokens: null,
        api_key: new Secret("a-key"),
        base_url: server.url,
      },
      logTo({ write: () => {} }, "debug"),
      Date.now,
    ),
  );

const ASKED = {
  prompt: "create A.md that says a\ncreate B.md that says b",
  price_cents: null,
  time_limit_seconds: null,
};

const OFFER = {
  ...{ title: "T", description: "d", requirements: "- r", skills: ["Rust ", "rust", ""] },
  ...{ price_cents: 250, time_limit_seconds: 900 },
};
const says = (change: object) => (): ModelReply => ({
  content: [{ type: "text", text: JSON.stringify({ ...OFFER, ...change }) }],
});

describe("an estimate by a model", () => {
  it("says what is asked for, with a price and a limit", async () => {
    expect(await estimator().estimate(ASKED)).toEqual({
      title: "Create A.md that says a",
      description: ASKED.prompt,
      requirements: "- create A.md is done\n- create B.md is done",
      skills: ["git"],
      price_cents: 450,
      time_limit_seconds: 1_800,
      by: "model",
    });
  });

  it.each([
    ["a price below the least", { price_cents: 1 }, {}, { price_cents: 100 }],
    ["a price above the most", { price_cents: 1e9 }, {}, { price_cents: 100_000 }],
    ["part of a cent", { price_cents: 199.6 }, {}, { price_cents: 200 }],
    ["a limit below the least", { time_limit_seconds: 0 }, {}, { time_limit_seconds: 60 }],
    ["a limit above the most", { time_limit_seconds: 1e7 }, {}, { time_limit_seconds: 86_400 }],
    [
      "what the sender named",
      {},
      { price_cents: 700, time_limit_seconds: 60 },
      { price_cents: 700, time_limit_seconds: 60 },
    ],
    ["skills in one spelling", {}, {}, { skills: ["rust"] }],
    ["a long title", { title: "x".repeat(500) }, {}, { title: `${"x".repeat(71)}…` }],
    ["a secret", { description: "use ghp_0123456789abcdef0123" }, {}, { description: "use [secret]" }],
  ] as const)("holds to the bounds: %s", async (_, said, asked, expected) => {
    server.setScript(says(said));
    expect(await estimator().estimate({ ...ASKED, ...asked })).toMatchObject({ ...expected, by: "model" });
  });

  it.each([
    ["answers in words", (): ModelReply => ({ content: [{ type: "text", text: "About five dollars." }] })],
    ["leaves out what counts", says({ requirements: " " })],
    ["refuses", () => apiError(400, "invalid_request_error", "no")],
    ["is away", () => apiError(529, "overloaded_error", "no", { "x-should-retry": "false" })],
  ])("is replaced by the rule of thumb, which says so, when the model %s", async (_, script) => {
    server.setScript(script);
    const rough = await estimator().estimate(ASKED);
    expect(rough).toEqual(await deterministicEstimator.estimate(ASKED));
    expect(rough.by).toBe("estimate");
  });

  it("is none without a model", async () => {
    expect(await createEstimator(null).estimate(ASKED)).toMatchObject({ by: "estimate" });
  });
});
