/**
 * A provider in a process of its own, as small as it can be: it answers every request with one call of the same tool,
 * streamed, and says what it saw. What is measured against it is the client's work alone.
 *
 * Called as: TOOL INPUT(JSON). Each request is a line on stdout: `{"at": milliseconds, "bytes": of the body}`.
 */
import { createServer } from "node:http";
import * as z from "zod";

const [tool = "", input = "{}"] = process.argv.slice(2);
/** About what a tokeniser makes of English and code; the agent makes room by it. */
const CHARACTERS_PER_TOKEN = 4;

const event = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

function answer(count: number, bytes: number): string {
  const usage = { input_tokens: Math.ceil(bytes / CHARACTERS_PER_TOKEN), output_tokens: 1 };
  const about = { id: `msg_${count}`, type: "message", role: "assistant", model: "m", content: [], stop_reason: null };
  const parts = [
    { type: "message_start", message: { ...about, usage } },
    {
      type: "content_block_start",
      index: 0,
      content_block: { type: "tool_use", id: `tu_${count}`, name: tool, input: {} },
    },
    { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: input } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null }, usage: { output_tokens: 20 } },
    { type: "message_stop" },
  ];
  return parts.map(event).join("");
}

let count = 0;
const server = createServer((request, response) => {
  // what it knows of models is asked for before the work, and is none of it
  if (request.method === "GET") {
    response.writeHead(404).end();
    return;
  }
  const at = performance.timeOrigin + performance.now();
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => {
    count += 1;
    process.stdout.write(`${JSON.stringify({ at, bytes })}\n`);
    response.setHeader("content-type", "text/event-stream");
    response.end(answer(count, bytes));
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = z.object({ port: z.number() }).parse(server.address());
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
