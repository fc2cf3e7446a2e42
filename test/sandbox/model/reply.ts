/** Serialises a scripted reply: one JSON object, or a stream of events. */
import { createHash } from "node:crypto";
import type { ContentBlock, ModelReply, ModelRequest, Usage } from "./protocol.ts";
import { usageOf } from "./usage.ts";

type Spoken = Extract<ModelReply, { content: readonly ContentBlock[] }>;

export interface ModelMessageOut {
  readonly id: string;
  readonly type: "message";
  readonly role: "assistant";
  readonly model: string;
  readonly content: readonly Record<string, unknown>[];
  readonly stop_reason: string;
  readonly stop_sequence: null;
  readonly usage: Usage;
}

/** Ids derive from the conversation, so that a repeated request gets the same ones. */
export function messageOf(request: ModelRequest, reply: Spoken): ModelMessageOut {
  const seed = createHash("sha256")
    .update(JSON.stringify([request.messages, reply.content]))
    .digest("hex");
  const content = reply.content.map((block, index) =>
    block.type === "text" ? { ...block } : { ...block, id: block.id ?? `toolu_${seed.slice(0, 20)}${index}` },
  );
  const calls = reply.content.some((block) => block.type === "tool_use");
  const asked = "stopReason" in reply ? reply.stopReason : undefined;
  const usage = { ...usageOf(request, reply.content), ...("usage" in reply ? reply.usage : {}) };
  const stop_reason = asked ?? (calls ? "tool_use" : "end_turn");
  const { model } = request;
  return {
    id: `msg_${seed.slice(0, 24)}`,
    type: "message",
    role: "assistant",
    model,
    content,
    stop_reason,
    stop_sequence: null,
    usage,
  };
}

export const jsonAnswer = (message: ModelMessageOut): string => JSON.stringify(message);

/** Parts of a text or of a tool's JSON input, as a stream sends them. */
const PIECE = 40;

function* piecesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += PIECE) yield text.slice(at, at + PIECE);
}

export function sseAnswer(message: ModelMessageOut): string {
  const events: { readonly type: string; readonly [key: string]: unknown }[] = [];
  const started = { ...message, content: [], stop_reason: null, usage: { ...message.usage, output_tokens: 1 } };
  events.push({ type: "message_start", message: started }, { type: "ping" });
  for (const [index, block] of message.content.entries()) {
    const call = block.type === "tool_use";
    const content_block = call ? { ...block, input: {} } : { type: "text", text: "" };
    events.push({ type: "content_block_start", index, content_block });
    for (const piece of piecesOf(call ? JSON.stringify(block.input) : String(block.text))) {
      const delta = call ? { type: "input_json_delta", partial_json: piece } : { type: "text_delta", text: piece };
      events.push({ type: "content_block_delta", index, delta });
    }
    events.push({ type: "content_block_stop", index });
  }
  const delta = { stop_reason: message.stop_reason, stop_sequence: null };
  events.push({ type: "message_delta", delta, usage: message.usage }, { type: "message_stop" });
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}
