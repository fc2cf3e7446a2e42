/** Reads a request's body. */
import type { IncomingMessage } from "node:http";

/** GitHub refuses larger API requests. */
const BODY_LIMIT = 100 * 1024 * 1024;

/** Undefined when it is too large. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
