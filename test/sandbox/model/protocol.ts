/**
 * The Anthropic Messages API as the scripted model speaks it: valid requests, replies, errors. Validates what the real
 * endpoint validates, so that a request which would be refused there is refused here.
 */
import * as z from "zod";

const block = z.looseObject({ type: z.string() });
const content = z.union([z.string(), z.array(block)]);
const message = z.object({ role: z.enum(["user", "assistant"]), content });
const tool = z.looseObject({
  name: z.string().optional(),
  type: z.string().optional(),
  input_schema: z.unknown().optional(),
});

const request = z.looseObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  system: content.optional(),
  tools: z.array(tool).optional(),
  stream: z.boolean().optional(),
  max_tokens: z.number().int().min(1).optional(),
});
const withLimit = request.required({ max_tokens: true });

export type ModelRequest = z.output<typeof request>;
export type ModelMessage = z.output<typeof message>;
export type Block = z.output<typeof block>;

export type ContentBlock =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "tool_use";
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
      readonly id?: string;
    };

/** A script's answer. `delayMs` is waited for before the first byte. */
export type ModelReply =
  | {
      readonly content: readonly ContentBlock[];
      readonly stopReason?: "end_turn" | "tool_use" | "max_tokens" | "refusal";
      readonly usage?: Partial<Usage>;
      readonly delayMs?: number;
    }
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: unknown;
      readonly delayMs?: number;
    }
  /** Accepts the request and never answers. */
  | { readonly stall: true }
  /** Sends the first half of the answer, then drops the connection. */
  | { readonly cut: true; readonly content: readonly ContentBlock[] };

export type Script = (request: ModelRequest) => ModelReply | Promise<ModelReply>;

export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
}

export const errorBody = (type: string, text: string) => ({ type: "error", error: { type, message: text } });

/** A reply as an API error, for scripts. */
export const apiError = (
  status: number,
  type: string,
  text: string,
  headers: Record<string, string> = {},
): ModelReply => ({
  status,
  headers,
  body: errorBody(type, text),
});

export type ReadRequest =
  | { readonly ok: true; readonly request: ModelRequest }
  | { readonly ok: false; readonly problem: string };

export function readRequest(body: unknown, counting: boolean): ReadRequest {
  const read = (counting ? request : withLimit).safeParse(body);
  if (!read.success) {
    const first = read.error.issues[0];
    return { ok: false, problem: `${first?.path.join(".") || "body"}: ${first?.message ?? "invalid"}` };
  }
  const problem = turnProblem(read.data.messages);
  return problem === undefined ? { ok: true, request: read.data } : { ok: false, problem };
}

export const blocksOf = (one: ModelMessage): readonly Block[] =>
  typeof one.content === "string" ? [{ type: "text", text: one.content }] : one.content;

const textBlock = z.object({ type: z.literal("text"), text: z.string() });

export const textOf = (one: ModelMessage): string =>
  blocksOf(one)
    .flatMap((part) => textBlock.safeParse(part).data?.text ?? [])
    .join("\n");

const toolUse = z.object({ type: z.literal("tool_use"), id: z.string() });
const toolResult = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: content.optional(),
  is_error: z.boolean().optional(),
});

export interface ToolResult {
  readonly id: string;
  readonly text: string;
  readonly isError: boolean;
}

export function toolResults(one: ModelMessage): ToolResult[] {
  return blocksOf(one).flatMap((part) => {
    const read = toolResult.safeParse(part);
    if (!read.success) return [];
    const { tool_use_id: id, content: inner = "", is_error: isError = false } = read.data;
    return [{ id, text: textOf({ role: "user", content: inner }), isError }];
  });
}

/** The first turn is the user's, and every tool use is answered in the next message. */
function turnProblem(messages: readonly ModelMessage[]): string | undefined {
  if (messages[0]?.role !== "user") return 'messages: first message must use the "user" role';
  for (const [index, one] of messages.entries()) {
    if (blocksOf(one).length === 0) return `messages.${index}: content must not be empty`;
    const used = blocksOf(one).flatMap((part) => toolUse.safeParse(part).data?.id ?? []);
    const next = messages[index + 1];
    const answered = new Set(next ? toolResults(next).map((result) => result.id) : []);
    const open = used.filter((id) => !answered.has(id));
    if (open.length > 0)
      return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(", ")}`;
    const before = messages[index - 1];
    const known = new Set(before ? blocksOf(before).flatMap((part) => toolUse.safeParse(part).data?.id ?? []) : []);
    const stray = toolResults(one).find((result) => !known.has(result.id));
    if (stray) return `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray.id}`;
  }
  return undefined;
}
