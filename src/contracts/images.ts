/**
 * Images that reach the model: their bounds, and their type by the first bytes. Names and headers are not trusted; the
 * provider refuses a request whose media type is wrong.
 */

/** In one brief. */
export const MAX_IMAGES = 5;
const MiB = 1024 * 1024;
/** The provider takes 5 MB, counted in base64. */
export const MAX_IMAGE_BYTES = 3 * MiB;
/** Together: each request of a run sends them again. */
export const MAX_IMAGES_BYTES = 6 * MiB;
/** Upper bound of what one image costs; the provider scales down what would cost more. */
export const IMAGE_TOKENS = 5_000;

export const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** A file of the job's folder. */
export const IMAGE_FILE = /^image-[1-9]\.(?:png|jpg|gif|webp)$/;

const EXTENSION: Readonly<Record<ImageType, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
};

export const imageFile = (number: number, type: ImageType): string => `image-${number}.${EXTENSION[type]}`;

const begins = (bytes: Uint8Array, text: string, at = 0): boolean =>
  bytes.length >= at + text.length && [...text].every((sign, index) => bytes[at + index] === sign.charCodeAt(0));

/** Null for everything that the provider does not take. */
export function imageType(bytes: Uint8Array): ImageType | null {
  if (begins(bytes, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (begins(bytes, "\xff\xd8\xff")) return "image/jpeg";
  if (begins(bytes, "GIF87a") || begins(bytes, "GIF89a")) return "image/gif";
  return begins(bytes, "RIFF") && begins(bytes, "WEBP", 8) ? "image/webp" : null;
}
