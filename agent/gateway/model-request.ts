/**
 * Validates model calls and bounds their input tokens. Allows only what is charged by tokens at known prices: no
 * server-side tools, no files, no dearer modes, and few images, each of which has a highest cost. The parsed request is forwarded, never the caller's own
 * bytes.
 */
import * as z from "zod";
import { IMAGE_TOKENS, IMAGE_TYPES, MAX_IMAGES } from "../../src/contracts/images.ts";
import { isJsonWithinBounds } from "../../src/text/json-bounds.ts";
import { head } from "../../src/text/text.ts";
import type { CallUsage } from "./budget.ts";

/** Values per request; a long conversation has about ten thousand. */
const MAX_VALUES = 100_000;
const MAX_MESSAGES = 10_000;
/** Per message. */
const MAX_BLOCKS = 10_000;
const MAX_TOOLS = 1_000;

/** Stops at the first invalid item; zod would describe every one. */
const list = <Item>(item: z.ZodType<Item>, most: number) =>
  z
    .array(z.unknown())
    .max(most, `has more than ${most} items`)
    .transform((items, context) => {
      const read: Item[] = [];
      for (const [index, one] of items.entries()) {
        const parsed = item.safeParse(one);
        if (!parsed.success) {
          const [issue] = parsed.error.issues;
          context.addIssue({ code: "custom", message: messageOf(issue), path: [index, ...(issue?.path ?? [])] });
          return z.NEVER;
        }
        read.push(parsed.data);
      }
      return read;
    });

const messageOf = (issue: z.core.$ZodIssue | undefined): string =>
  issue?.code === "unrecognized_keys" ? `${issue.keys.join(", ")} is not allowed` : (issue?.message ?? "is wrong");

/** A one-hour cache costs more to write. */
const cacheControl = z.strictObject({ type: z.literal("ephemeral"), ttl: z.literal("5m").optional() }).nullish();

/** Never an address, which the provider would fetch. */
const image = z.strictObject({
  type: z.literal("image"),
  source: z.strictObject({
    type: z.literal("base64"),
    media_type: z.enum(IMAGE_TYPES),
    data: z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, "is not base64"),
  }),
  cache_control: cacheControl,
});

const text = z.looseObject({ type: z.literal("text"), text: z.string(), cache_control: cacheControl });
const texts = z.union([z.string(), list(text, MAX_BLOCKS)], { error: "is neither text nor a list of text blocks" });
const block = z.union([
  text,
  image,
  z.looseObject({ type: z.literal("tool_result"), content: texts.optional(), cache_control: cacheControl }),
  z.looseObject({ type: z.enum(["tool_use", "thinking", "redacted_thinking"]), cache_control: cacheControl }),
]);
const message = z.strictObject({
  role: z.enum(["user", "assistant"]),
  content: z.union([z.string(), list(block, MAX_BLOCKS)], {
    error:
      "is not allowed; allowed are text, images in base64, tool_use, tool_result and thinking, cached for five minutes",
  }),
});

/** The bytes of each image, in base64. */
const imagesOf = (messages: readonly z.infer<typeof message>[]): string[] =>
  messages.flatMap(({ content }) =>
    typeof content === "string" ? [] : content.flatMap((one) => (one.type === "image" ? [one.source.data] : [])),
  );

/** Tools that the caller runs itself. */
const tool = z.looseObject({
  type: z
    .string()
    .regex(
      /^(?:custom|(?:bash|text_editor|memory|computer)_\d{8})$/,
      "is not allowed, because the provider would run it",
    )
    .nullish(),
  cache_control: cacheControl,
});

const counted = {
  model: z.string(),
  messages: list(message, MAX_MESSAGES)
    .refine((messages) => messages.length > 0, "is empty")
    .refine((messages) => imagesOf(messages).length <= MAX_IMAGES, `has more than ${MAX_IMAGES} images`),
  system: texts.optional(),
  tools: list(tool, MAX_TOOLS).optional(),
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

function read<Request>(schema: z.ZodType<Request>, body: string): ReadRequest<Request> {
  if (!isJsonWithinBounds(Buffer.from(body), MAX_VALUES))
    return { ok: false, reason: "The request is nested too deep, or holds too many values." };
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { ok: false, reason: "The request is not JSON." };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, request: parsed.data };
  const [issue] = parsed.error.issues;
  return { ok: false, reason: head(`${issue?.path.join(".") || "request"}: ${messageOf(issue)}`, 300) };
}

export const readMessages = (body: string): ReadRequest<MessagesRequest> => read(messagesSchema, body);
export const readCount = (body: string): ReadRequest<CountRequest> => read(countSchema, body);

/** The part of a call that counts as its input. */
export function toCount(request: MessagesRequest): CountRequest {
  const { max_tokens: _1, stream: _2, metadata: _3, service_tier: _4, stop_sequences: _5, ...rest } = request;
  const { temperature: _6, top_k: _7, top_p: _8, ...counts } = rest;
  return counts;
}

/**
 * What the provider adds to the prompt: instructions for tools, and the full definition of each tool that it knows by
 * name.
 */
const ADDED_TOKENS = 2_000;
const ADDED_FOR_TOOL = 1_000;

/** A token has at least one byte, and no text has more tokens than bytes of JSON. The bytes of an image are no text. */
export function inputBound(request: MessagesRequest): number {
  const images = imagesOf(request.messages);
  const bytes = images.reduce((sum, data) => sum - data.length, Buffer.byteLength(JSON.stringify(request)));
  return bytes + IMAGE_TOKENS * images.length + ADDED_TOKENS + ADDED_FOR_TOOL * (request.tools?.length ?? 0);
}

/** The provider calls its own count an estimate, so a margin is added. */
export const countedBound = (tokens: CallUsage["input_tokens"]): number => Math.ceil(tokens * 1.05) + 500;
