/**
 * Reads the images that the brief names from the job's folder, and makes blocks for the model of them. Whoever may push
 * can change them: links are not followed, and size and type are checked again. What cannot be used is told in
 * sentences.
 */
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContentBlockParam, ImageBlockParam, TextBlockParam } from "@anthropic-ai/sdk/resources/messages";
import type { Brief } from "../../src/contracts/brief.ts";
import {
  IMAGE_TOKENS,
  type ImageType,
  imageType,
  MAX_IMAGE_BYTES,
  MAX_IMAGES_BYTES,
} from "../../src/contracts/images.ts";
import { sanitize } from "../../src/contracts/sanitize.ts";

export interface BriefImage {
  /** As the texts name it. */
  readonly address: string;
  readonly type: ImageType;
  readonly base64: string;
}

export interface BriefImages {
  readonly images: readonly BriefImage[];
  readonly missing: readonly string[];
}

async function bytesOf(path: string): Promise<Buffer | null> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isFile() || found.size > MAX_IMAGE_BYTES) return null;
  return readFile(path).catch(() => null);
}

export async function readBriefImages(folder: string, wanted: Brief["images"]): Promise<BriefImages> {
  const images: BriefImage[] = [];
  const missing: string[] = [];
  let size = 0;
  for (const { file, address } of wanted) {
    const bytes = await bytesOf(join(folder, file));
    const type = bytes === null ? null : imageType(bytes);
    if (bytes === null || type === null || size + bytes.length > MAX_IMAGES_BYTES) {
      missing.push(`The image ${address} could not be read.`);
      continue;
    }
    size += bytes.length;
    images.push({ address, type, base64: bytes.toString("base64") });
  }
  return { images, missing };
}

const oneLine = (text: string): string => sanitize(text).replaceAll(/\s+/g, " ");

/** Before the text, where models see images best, each behind a line that says where it belongs. */
export const imageBlocks = (images: readonly BriefImage[]): (TextBlockParam | ImageBlockParam)[] =>
  images.flatMap(({ address, type, base64 }, index) => [
    { type: "text" as const, text: `Image ${index + 1}, which the texts below name as ${oneLine(address)}:` },
    { type: "image" as const, source: { type: "base64" as const, media_type: type, data: base64 } },
  ]);

const imagesIn = (blocks: readonly ContentBlockParam[]): number => blocks.filter(({ type }) => type === "image").length;

/** Characters of the blocks without the bytes of images, whose tokens do not depend on them. */
const charactersOf = (blocks: readonly ContentBlockParam[]): number =>
  JSON.stringify(blocks.filter(({ type }) => type !== "image")).length;

/** The same bound for text and images: characters for three tokens each, and the most that an image costs. */
export const boundOf = (blocks: readonly ContentBlockParam[], tokensOf: (characters: number) => number): number =>
  tokensOf(charactersOf(blocks)) + imagesIn(blocks) * IMAGE_TOKENS;

/** Where the provider's message says which block it refuses, e.g. `messages.0.content.1.image.source`. */
const REFUSED_BLOCK = /\bmessages\.0\.content\.(\d{1,3})\b/;

const refused = (text: TextBlockParam["text"]): TextBlockParam => ({ type: "text", text });

/** The content without the image that the provider refuses, or without all; null when there is none. */
export function withoutRefusedImages(content: readonly ContentBlockParam[], words: string): ContentBlockParam[] | null {
  if (imagesIn(content) === 0) return null;
  const named = Number(REFUSED_BLOCK.exec(words)?.[1] ?? -1);
  const one = content[named]?.type === "image" ? named : null;
  return content.map((block, index) =>
    block.type === "image" && (one === null || one === index)
      ? refused("(The provider does not take this image, so you have not seen it.)")
      : block,
  );
}
