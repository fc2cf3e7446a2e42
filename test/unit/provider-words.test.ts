import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { providerWords } from "../../src/contracts/provider-words.ts";
import { parseResult } from "../../src/contracts/result.ts";

const body = (message: string): string =>
  JSON.stringify({ type: "error", error: { type: "authentication_error", message }, request_id: "req_1" });

describe("a provider's error in words", () => {
  it("is its message, where its answer is JSON, also one that another has wrapped", () => {
    expect(providerWords(`It said: 401 ${body("invalid x-api-key")}`)).toBe("It said: 401 invalid x-api-key");
    expect(providerWords(`502 ${body(`upstream: ${body("overloaded")}`)}`)).toBe("502 upstream: overloaded");
    expect(providerWords('400 {"error": {"message": "no such model"}}')).toBe("400 no such model");
  });

  it("is what stands before an answer that is cut or strange", () => {
    expect(providerWords(`It said: 401 ${body("invalid").slice(0, -9)}`)).toBe("It said: 401");
    expect(providerWords('500 {"type":"error","error":null}')).toBe("500");
  });

  it("leaves other words as they are", () => {
    for (const text of ["", "The key is missing.", '{"type": "text"} is what I wrote', "a } b { c"])
      expect(providerWords(text)).toBe(text);
  });

  it("never holds an error's JSON, whatever was said", () => {
    const piece = fc.oneof(fc.string(), fc.string().map(body), fc.constantFrom('{"type":"error"', '{"error":{', "}"));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(providerWords(pieces.join(""))).not.toMatch(/\{\s*"type"\s*:\s*"error"/);
      }),
    );
  });

  it("is what a result of an agent of before tells, too", () => {
    const told = {
      version: 1,
      outcome: "failed",
      reason: `The provider refused the key: ${body("invalid x-api-key")}`,
    };
    expect(parseResult(JSON.stringify(told))?.reason).toBe("The provider refused the key: invalid x-api-key");
  });
});
