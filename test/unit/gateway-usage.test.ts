import fc from "fast-check";
import { expect, test } from "vitest";
import { StreamedUsage } from "../../agent/gateway/answer-usage.ts";

const BOUND = { input: 1_000, output: 2_000 };
const STREAM = [
  'event: message_start\ndata: {"type":"message_start","message":{"content":[],"usage":{"input_tokens":7,"cache_read_input_tokens":5,"output_tokens":1}}}\n\n',
  'event: ping\r\ndata: {"type":"ping"}\r\n\r\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"ünï \\n data: {\\"type\\":\\"message_stop\\"}"}}\n\n',
  'data:{"type":"message_delta","usage":{"output_tokens":20}}\r\r',
  'data: {"type":"message_stop"}\n\n',
].join("");

test("however its bytes are cut, a stream says the same", () => {
  const bytes = Buffer.from(STREAM);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length })), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const usage = new StreamedUsage(BOUND);
      for (const [index, start] of at.slice(0, -1).entries()) usage.push(bytes.subarray(start, at[index + 1]));
      expect(usage.whole).toBe(true);
      expect(usage.usage).toEqual({ input_tokens: 7, output_tokens: 20, cache_read_tokens: 5, cache_write_tokens: 0 });
    }),
  );
});

test("what a stream says is never below what it will have said at its end, wherever it breaks off", () => {
  const bytes = Buffer.from(STREAM);
  for (let end = 0; end <= bytes.length; end += 1) {
    const usage = new StreamedUsage(BOUND);
    usage.push(bytes.subarray(0, end));
    const { input_tokens = 0, cache_write_tokens = 0, output_tokens = 0 } = usage.usage ?? {};
    expect(input_tokens + cache_write_tokens).toBeGreaterThanOrEqual(7);
    expect(output_tokens).toBeGreaterThanOrEqual(20);
  }
});
