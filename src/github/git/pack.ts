/** Writes whole objects as a pack, the format in which git sends them. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import type { GitObject } from "./objects.ts";

const deflated = promisify(deflate);

const VERSION = 2;
const TYPES: Readonly<Record<GitObject["type"], number>> = { commit: 1, tree: 2, blob: 3 };

const numberOf = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** Type and size: four bits of the size in the first byte, seven in each further one, the lowest first. */
function headOf({ type, bytes }: GitObject): Buffer {
  const head: number[] = [];
  let rest = Math.floor(bytes.length / 16);
  let byte = TYPES[type] * 16 + (bytes.length % 16);
  while (rest > 0) {
    head.push(byte + 128);
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...head, byte]);
}

/** Each object once. */
export async function packOf(objects: readonly GitObject[]): Promise<Buffer> {
  const unique = [...new Map(objects.map((object) => [object.id, object])).values()];
  const parts: Uint8Array[] = [Buffer.from("PACK"), numberOf(VERSION), numberOf(unique.length)];
  for (const object of unique) parts.push(headOf(object), await deflated(object.bytes));
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, hash.digest()]);
}
