import { describe, expect, test } from "vitest";
import { UsageCounter } from "../../agent/provider/usage.ts";
import { costCents } from "../../src/contracts/models.ts";
import { redactor } from "../../src/contracts/redact.ts";

const call = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
const MILLION = 1_000_000;

describe("prices", () => {
  test.each([
    ["claude-sonnet-4-20250514", 300],
    ["claude-sonnet-4-0", 300],
    ["claude-opus-4-1", 1_500],
    ["claude-opus-4-5-20251101", 500],
    ["claude-3-5-haiku-latest", 80],
    ["claude-haiku-5-5", 50],
  ])("a million tokens sent to %s cost %d cents", (model, cents) => {
    expect(costCents(model, { ...call, input_tokens: MILLION })).toBe(cents);
  });

  test.each(["claude-sonnet-40", "claude-fable-5-9", "local-llama", "vendor/claude-sonnet-4"])(
    "%s has none, whatever it resembles",
    (model) => {
      expect(costCents(model, call)).toBeNull();
    },
  );

  test("writes to the cache cost more and reads from it less", () => {
    const usage = { ...call, cache_write_tokens: MILLION, cache_read_tokens: MILLION };
    expect(costCents("claude-sonnet-4-5", usage)).toBeCloseTo(300 * 1.25 + 30);
    expect(costCents("claude-opus-5-5", usage)).toBeCloseTo(400 * 1.25 + 20);
  });

  test("a long prompt is dearer where the provider says so, call by call", () => {
    const counter = new UsageCounter("claude-haiku-5-5");
    counter.add({ input_tokens: 60_000, output_tokens: 0 });
    counter.add({ input_tokens: 60_000, output_tokens: 0 });
    expect(counter.cents).toBeCloseTo(1.2);
    counter.add({ input_tokens: 120_000, output_tokens: 0 });
    expect(counter.cents).toBeCloseTo(1.2 + 6);
  });
});

describe("redaction of a value", () => {
  const token = `ghs_123456_eyJhbGciOiJSUzI1NiJ9.${"aB3-_".repeat(80)}.${"xY9".repeat(30)}`;
  const secret = "s3cret/with+odd=chars";
  const clean = redactor([secret, token]);
  const base64 = (text: string) => Buffer.from(text).toString("base64");

  test.each([
    ["raw", secret],
    ["in a URL", encodeURIComponent(secret)],
    ["in base64", base64(secret)],
    ["in base64url", Buffer.from(secret).toString("base64url")],
    ["in base64 behind one character", base64(`:${secret}`)],
    ["in base64 behind a name, as in a header", base64(`x-access-token:${secret}`)],
    ["in base64 amid other text", base64(`{"key":"${secret}","more":true}`)],
  ])("%s leaves nothing that gives it back", (_, spelt) => {
    const left = clean(`before ${spelt} after`);
    expect(left).toContain("[secret]");
    for (const piece of left.split(/\s|\[secret\]/)) {
      const decoded = Buffer.from(piece, "base64").toString();
      expect(piece + decoded + decodeURIComponent(piece)).not.toContain(secret.slice(3, 9));
    }
  });

  test("of the long form is found raw, and in base64 that a program has wrapped", () => {
    expect(clean(`a ${token} b`)).toBe("a [secret] b");
    const lines = (base64(token).match(/.{1,76}/g) ?? []).join("\n");
    expect(clean(lines)).toMatch(/^\[secret\]=*$/);
    expect(redactor()(`token=${token}`)).toBe("token=[secret]");
  });

  test("leaves short values and ordinary words alone", () => {
    expect(redactor(["abc"])("abc of sk-ill and ghs_short")).toBe("abc of sk-ill and ghs_short");
  });
});
