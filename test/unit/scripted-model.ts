/**
 * A provider for tests: an HTTP server that answers `POST /v1/messages` from a script, turn by turn, and keeps what it
 * was asked. The agent reaches it with the real SDK.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";

const requestSchema = z.looseObject({
  model: z.string(),
  max_tokens: z.number(),
  stream: z.boolean().optional(),
  system: z.array(z.looseObject({ text: z.string() })),
  tools: z.array(z.looseObject({ name: z.string() })),
  messages: z.array(z.object({ role: z.string(), content: z.array(z.looseObject({ type: z.string() })) })),
});
export type Request = z.infer<typeof requestSchema>;

export type Turn =
  | { readonly content: readonly object[]; readonly stop_reason?: string; readonly usage?: object }
  | { readonly status: number; readonly error?: string; readonly headers?: Record<string, string> }
  /** A refusal by something on the way, which does not speak the provider's API. */
  | { readonly status: number; readonly html: string }
  | { readonly raw: string }
  /** Events of a stream as they stand, and what becomes of the connection after them. */
  | { readonly events: readonly object[]; readonly after: "end" | "drop" | "hang" }
  /** Never answers; the connection stays open. */
  | { readonly hang: true };

export interface ScriptedModel {
  readonly url: string;
  readonly requests: Request[];
  readonly headers: IncomingHttpHeaders[];
  /** Resolves when this many requests have come. */
  reached(count: number): Promise<void>;
  close(): Promise<void>;
}

/** What it says whenever it shall count. */
const COUNTED_TOKENS = 100;

let calls = 0;
export const use = (name: string, input: unknown) => ({ type: "tool_use", id: `tu_${++calls}`, name, input });
export const bash = (command: string): Turn => ({ content: [use("bash", { command })] });
export const finish = (outcome = "done", title = "Add a thing", body = "Added it."): Turn => ({
  content: [use("finish", { outcome, title, body })],
});

/** The last turn of the script is repeated for as long as the agent asks. `list`: what it says of its models. */
export async function scriptedModel(script: readonly Turn[], list: object | null = null): Promise<ScriptedModel> {
  const requests: Request[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.method === "GET") {
      response.writeHead(list === null ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(list ?? { type: "error", error: { type: "not_found_error", message: "no" } }));
      return;
    }
    if (request.url?.endsWith("/count_tokens")) {
      response.end(JSON.stringify({ input_tokens: COUNTED_TOKENS }));
      return;
    }
    headers.push(request.headers);
    const asked = requestSchema.parse(JSON.parse(body));
    requests.push(asked);
    for (const look of waiting) look();
    answer(response, script[Math.min(requests.length, script.length) - 1] ?? { status: 500 }, asked.stream === true);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    headers,
    reached: (count) =>
      new Promise((resolve) => {
        const look = () => requests.length >= count && resolve();
        waiting.push(look);
        look();
      }),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(response: ServerResponse, turn: Turn, stream: boolean): void {
  if ("hang" in turn) return;
  response.setHeader("content-type", "application/json");
  if ("raw" in turn) {
    response.end(turn.raw);
    return;
  }
  if ("events" in turn) {
    response.setHeader("content-type", "text/event-stream");
    for (const event of turn.events) response.write(eventOf(event));
    if (turn.after === "end") response.end();
    // Behind the data, or the client would see the end of the connection before what was written.
    if (turn.after === "drop") response.write(": \n\n", () => response.socket?.destroy());
    return;
  }
  if ("html" in turn) {
    response.writeHead(turn.status, { "content-type": "text/html" }).end(turn.html);
    return;
  }
  if ("status" in turn) {
    response.statusCode = turn.status;
    for (const [name, value] of Object.entries(turn.headers ?? {})) response.setHeader(name, value);
    response.end(JSON.stringify({ type: "error", error: { type: "api_error", message: turn.error ?? "no" } }));
    return;
  }
  const calls = JSON.stringify(turn.content).includes('"tool_use"');
  const stop_reason = turn.stop_reason ?? (calls ? "tool_use" : "end_turn");
  const usage = turn.usage ?? { input_tokens: 100, output_tokens: 10 };
  const about = { id: "msg_1", type: "message", role: "assistant", model: "scripted", stop_sequence: null };
  if (stream) streamed(response, { ...about, content: turn.content, stop_reason, usage });
  else response.end(JSON.stringify({ ...about, content: turn.content, stop_reason, usage }));
}

const eventOf = (event: object): string =>
  `event: ${"type" in event ? String(event.type) : "?"}\ndata: ${JSON.stringify(event)}\n\n`;

/** The first events of an answer that calls bash with `sent` as the input, whatever that is. */
export const begun = (sent: string, usage: object = { input_tokens: 100, output_tokens: 1 }): object[] => [
  {
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "scripted",
      content: [],
      stop_reason: null,
      usage,
    },
  },
  {
    type: "content_block_start",
    index: 0,
    content_block: { type: "tool_use", id: `tu_${++calls}`, name: "bash", input: {} },
  },
  { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: sent } },
];

/** And its last. */
export const ended = (stop_reason = "tool_use"): object[] => [
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 10 } },
  { type: "message_stop" },
];

/** The same message as server-sent events, the input of a tool call in two pieces. */
function streamed(response: ServerResponse, message: Streamed): void {
  response.setHeader("content-type", "text/event-stream");
  const send = (type: string, data: object) => response.write(eventOf({ type, ...data }));
  send("message_start", { message: { ...message, content: [], stop_reason: null } });
  for (const [index, block] of message.content.entries()) {
    const input = "input" in block ? JSON.stringify(block.input) : "";
    send("content_block_start", { index, content_block: { ...block, ...(input === "" ? {} : { input: {} }) } });
    for (const partial_json of [input.slice(0, 5), input.slice(5)]) {
      if (input !== "") send("content_block_delta", { index, delta: { type: "input_json_delta", partial_json } });
    }
    send("content_block_stop", { index });
  }
  send("message_delta", { delta: { stop_reason: message.stop_reason, stop_sequence: null }, usage: message.usage });
  send("message_stop", {});
  response.end();
}

interface Streamed {
  readonly content: readonly object[];
  readonly stop_reason: string;
  readonly usage: object;
}
