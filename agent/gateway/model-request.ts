/**
 * What a call of the model may ask for, and how many tokens its input can have at most. Only what costs tokens alone, at
 * the prices that we know, is let through: no tools that the provider runs, no files and pictures, no dearer modes. What
 * was read is what is sent, never the caller's own bytes.
 */
import { z } from "zod";
import type { CallUsage } from "./budget.ts";
import { head } from "../../src/wire/text.ts";

/** The deepest that a request may be nested: a tool's schema, within it a schema of its parts. */
const MAX_DEPTH = 64;

/** A cache that is kept for an hour costs more to write. */
const cacheControl = z.strictObject({ type: z.literal("ephemeral"), ttl: z.literal("5m").optional() }).nullish();

const text = z.looseObject({ type: z.literal("text"), text: z.string(), cache_control: cacheControl });
const texts = z.union([z.string(), z.array(text)], { error: "is neither text nor a list of text blocks" });
const block = z.union(
  [
    text,
    z.looseObject({ type: z.literal("tool_result"), content: texts.optional(), cache_control: cacheControl }),
    z.looseObject({ type: z.enum(["tool_use", "thinking", "redacted_thinking"]), cache_control: cacheControl }),
  ],
  { error: "is not let through: there are text, tool_use, tool_result and thinking, cached for five minutes" },
);
const message = z.strictObject({
  role: z.enum(["user", "assistant"]),
  content: z.union([z.string(), z.array(z.unknown())]).pipe(z.union([z.string(), z.array(block)])),
});

/** Tools that the caller runs itself. */
const tool = z.looseObject({
  type: z
    .string()
    .regex(/^(?:custom|(?:bash|text_editor|memory|computer)_\d{8})$/, "is not let through: the provider would run it")
    .nullish(),
  cache_control: cacheControl,
});

const counted = {
  model: z.string(),
  messages: z.array(message).min(1),
  system: texts.optional(),
  tools: z.array(tool).optional(),
  tool_choice: z.unknown().optional(),
  thinking: z.unknown().optional(),
  output_config: z.unknown().optional(),
  cache_control: cacheControl,
};

const countSchema = z.strictObject(counted);
const messagesSchema = z.strictObject({
  ...counted,
  max_tokens: z.number().int().positive(),
  stream: z.boolean().optional(),
  metadata: z.unknown().optional(),
  service_tier: z.enum(["auto", "standard_only"]).optional(),
  stop_sequences: z.unknown().optional(),
  temperature: z.unknown().optional(),
  top_k: z.unknown().optional(),
  top_p: z.unknown().optional(),
});

export type CountRequest = z.infer<typeof countSchema>;
export type MessagesRequest = z.infer<typeof messagesSchema>;

export type ReadRequest<Request> =
  | { readonly ok: true; readonly request: Request }
  | { readonly ok: false; readonly reason: string };

/** Not so deep that what reads it would run out of stack. */
function isShallow(json: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (quoted) {
      if (character === "\\") at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth > MAX_DEPTH) return false;
  }
  return true;
}

function read<Request>(schema: z.ZodType<Request>, body: string): ReadRequest<Request> {
  if (!isShallow(body)) return { ok: false, reason: `The request is nested deeper than ${MAX_DEPTH} levels.` };
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { ok: false, reason: "The request is not JSON." };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, request: parsed.data };
  const [issue] = parsed.error.issues;
  const words = issue?.code === "unrecognized_keys" ? `${issue.keys.join(", ")} is not let through` : issue?.message;
  return { ok: false, reason: head(`${issue?.path.join(".") || "request"}: ${words}`, 300) };
}

export const readMessages = (body: string): ReadRequest<MessagesRequest> => read(messagesSchema, body);
export const readCount = (body: string): ReadRequest<CountRequest> => read(countSchema, body);

/** The part of a call by which the provider counts its input. */
export function toCount(request: MessagesRequest): CountRequest {
  const { max_tokens: _1, stream: _2, metadata: _3, service_tier: _4, stop_sequences: _5, ...rest } = request;
  const { temperature: _6, top_k: _7, top_p: _8, ...counts } = rest;
  return counts;
}

/** What the provider adds of its own: words about tools, and the whole description of each that it knows by name. */
const ADDED_TOKENS = 2_000;
const ADDED_FOR_TOOL = 1_000;

/** No token is shorter than a byte, and no text is longer in its tokens than in JSON. */
export const inputBound = (request: MessagesRequest): number =>
  Buffer.byteLength(JSON.stringify(request)) + ADDED_TOKENS + ADDED_FOR_TOOL * (request.tools?.length ?? 0);

/** The provider calls its own count an estimate. */
export const countedBound = (tokens: CallUsage["input_tokens"]): number => Math.ceil(tokens * 1.05) + 500;
