/** The provider's true bill stays within the cap, whatever is called, in whatever order and however it ends. */
import type { ServerResponse } from "node:http";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CallUsage } from "../../agent/gateway/budget.ts";
import { costCents } from "../../src/contracts/models.ts";
import { type Asked, ask, event, MODEL, message, sayJson, startProvider, startTested } from "./gateway-harness.ts";

const ENDS = [
  "whole",
  "no usage",
  "dropped at once",
  "dropped in the middle",
  "error at once",
  "error in the middle",
  "refused",
] as const;

const share = fc.double({ min: 0, max: 1, noNaN: true });

/** Much of it at the very edge, where a bound that is too low would be seen. */
const callArbitrary = fc.record({
  words: fc.nat({ max: 60_000 }),
  /** Characters of each of its images in base64. */
  images: fc.array(fc.nat({ max: 20_000 }), { maxLength: 5 }),
  max_tokens: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 200_000 })),
  stream: fc.boolean(),
  end: fc.oneof(fc.constant("whole" as const), fc.constantFrom(...ENDS)),
  /** Tokens for each byte of what was sent. */
  density: fc.oneof(fc.constantFrom(0.3, 1), share),
  /** Of the answer that was allowed, how much is written. */
  written: fc.oneof(fc.constant(1), share),
  /** Of the input, how much is written to the cache, and how much of the rest is read from it. */
  cached: fc.oneof(fc.constant([1, 0] as const), fc.tuple(share, share)),
  /** How wrong the provider's own count is. Null: it does not count. */
  counts: fc.option(fc.double({ min: 0.96, max: 1.04, noNaN: true }), { nil: null }),
});
type Call = ReturnType<typeof callArbitrary.generate>["value"];

/** What the provider charges for what it was sent, whatever it says. */
function truth({ body }: Asked, call: Call): CallUsage {
  const input = inputOf(body, call);
  const cache_write_tokens = Math.floor(input * call.cached[0]);
  const cache_read_tokens = Math.floor((input - cache_write_tokens) * call.cached[1]);
  const input_tokens = input - cache_write_tokens - cache_read_tokens;
  const output_tokens = Math.floor(JSON.parse(body).max_tokens * call.written);
  return { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens };
}

/** The most that the provider charges for an image. */
const IMAGE_TOKENS = 4_784;

function inputOf(body: string, { density, images }: Call): number {
  const bytes = Buffer.byteLength(JSON.stringify(JSON.parse(body).messages));
  const words = images.reduce((sum, characters) => sum - characters, bytes);
  return Math.floor(words * density) + images.length * IMAGE_TOKENS;
}

const said = (usage: CallUsage) => ({
  input_tokens: usage.input_tokens,
  output_tokens: usage.output_tokens,
  cache_read_input_tokens: usage.cache_read_tokens,
  cache_creation_input_tokens: usage.cache_write_tokens,
});

function answer(response: ServerResponse, usage: CallUsage, { end, stream }: Call): void {
  if (end === "refused") return void sayJson(response, "{}", 529);
  if (end === "dropped at once") return void response.socket?.destroy();
  const whole = end === "no usage" ? "{}" : message(said(usage));
  if (!stream && end !== "dropped in the middle") return void sayJson(response, whole);
  if (!stream)
    return void response.writeHead(200, { "content-length": 9_999 }).write(whole, () => response.socket?.destroy());
  const events = [
    event({
      type: "message_start",
      message: end === "no usage" ? {} : { usage: { ...said(usage), output_tokens: 1 } },
    }),
    event({ type: "message_delta", usage: { output_tokens: usage.output_tokens } }),
    event({ type: "message_stop" }),
  ];
  const error = event({ type: "error", error: { type: "overloaded_error", message: "no" } });
  response.writeHead(200, { "content-type": "text/event-stream" });
  if (end === "error at once") return void response.end(error);
  if (end === "error in the middle") return void response.end(events[0] + error);
  if (end === "dropped in the middle") return void response.write(events[0], () => response.socket?.destroy());
  response.end(events.join(""));
}

const isFree = ({ end, stream }: Call): boolean => end === "refused" || (stream && end === "error at once");

async function play(
  capCents: number,
  batches: readonly (readonly Call[])[],
): Promise<{ bill: number; told: number; calls: number }> {
  let bill = 0;
  let calls = 0;
  const byName = new Map<string, Call>(batches.flat().map((call, index) => [`call ${index} `, call]));
  const callOf = (asked: Asked): Call => {
    const found = [...byName].find(([name]) => asked.body.includes(name));
    if (found === undefined) throw new Error("a call that nobody made");
    return found[1];
  };
  const provider = await startProvider((asked, response) => {
    const call = callOf(asked);
    if (asked.url.endsWith("count_tokens")) {
      if (call.counts === null) return sayJson(response, "{}", 404);
      return sayJson(response, JSON.stringify({ input_tokens: Math.floor(inputOf(asked.body, call) * call.counts) }));
    }
    const usage = truth(asked, call);
    calls += 1;
    bill += isFree(call) ? 0 : (costCents(MODEL, usage) ?? Number.NaN);
    answer(response, usage, call);
  });
  const gateway = await startTested(provider, { LLM_MAX_COST_CENTS: String(capCents) });
  let index = 0;
  for (const batch of batches) {
    const bodies = batch.map(({ words, images, max_tokens, stream }) => {
      const text = `call ${index++} ${"é".repeat(words / 2)}`;
      const content = [
        ...images.map((characters) => ({
          type: "image",
          source: { type: "base64", media_type: "image/png", data: "A".repeat(characters) },
        })),
        { type: "text", text },
      ];
      return ask({ max_tokens, stream, messages: [{ role: "user", content }] });
    });
    await Promise.all(
      bodies.map((body) =>
        gateway
          .call(body)
          .then(
            (one) => one.text(),
            () => "",
          )
          .catch(() => ""),
      ),
    );
  }
  return { bill, told: (await gateway.spent()).cents ?? Number.NaN, calls };
}

test("the true bill never passes the cap, and what the gateway tells is never below it", async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: 0.1, max: 60, noNaN: true }),
      fc.array(fc.array(callArbitrary, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      async (capCents, batches) => {
        const { bill, told, calls } = await play(capCents, batches);
        made += calls;
        expect(bill).toBeLessThanOrEqual(capCents + 1e-9);
        expect(told).toBeGreaterThanOrEqual(bill - 1e-9);
        expect(told).toBeLessThanOrEqual(capCents + 1e-9);
      },
    ),
    { numRuns: 60 },
  );
  // Else it would hold since nothing was let through.
  expect(made).toBeGreaterThan(10);
});
