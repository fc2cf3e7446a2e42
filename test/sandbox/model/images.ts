/** What the real endpoint refuses of image blocks: types that do not match the bytes, and what is too large. */
import * as z from "zod";
import { blocksOf, type ModelMessage } from "./protocol.ts";

/** Bytes of base64. */
const IMAGE_LIMIT = 5 * 1024 * 1024;
/** The first bytes in hexadecimal. */
const BEGINNINGS: Readonly<Record<string, RegExp>> = {
  "image/png": /^89504e470d0a1a0a/,
  "image/jpeg": /^ffd8ff/,
  "image/gif": /^47494638(?:37|39)61/,
  "image/webp": /^52494646.{8}57454250/,
};

const image = z.object({
  type: z.literal("image"),
  source: z.object({ type: z.literal("base64"), media_type: z.string(), data: z.base64() }),
});

export function imageProblem(messages: readonly ModelMessage[]): string | undefined {
  for (const [at, message] of messages.entries())
    for (const [index, block] of blocksOf(message).entries()) {
      const problem = block.type === "image" ? problemOf(block) : undefined;
      if (problem !== undefined) return `messages.${at}.content.${index}.image.source.base64: ${problem}`;
    }
  return undefined;
}

function problemOf(block: unknown): string | undefined {
  const read = image.safeParse(block);
  if (!read.success) return "invalid base64 data";
  const { media_type, data } = read.data.source;
  if (data.length > IMAGE_LIMIT) return "image exceeds 5 MB maximum";
  const beginning = BEGINNINGS[media_type];
  if (!beginning?.test(Buffer.from(data, "base64").toString("hex", 0, 16)))
    return `the image was specified using the ${media_type} media type, but is another`;
  return data.length < 40 ? "Could not process image" : undefined;
}
