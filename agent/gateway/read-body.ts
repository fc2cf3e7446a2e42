/** Reads a whole body within limits of size and time. `signal` aborts the read when its slot is needed. */
import type { IncomingMessage } from "node:http";

export type ReadBody =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: "too_large" | "too_late" | "broken" };

export function readBody(
  message: IncomingMessage,
  limits: { readonly bytes: number; readonly ms: number; readonly signal?: AbortSignal },
): Promise<ReadBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (read: ReadBody): void => {
      clearTimeout(late);
      message.removeAllListeners("data").pause();
      resolve(read);
    };
    const giveUp = (): void => end({ ok: false, why: "too_late" });
    const late = setTimeout(giveUp, limits.ms);
    limits.signal?.addEventListener("abort", giveUp, { once: true });
    message.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.bytes) end({ ok: false, why: "too_large" });
      else chunks.push(chunk);
    });
    message.once("end", () => end({ ok: true, text: Buffer.concat(chunks).toString("utf8") }));
    for (const event of ["error", "close"]) message.once(event, () => end({ ok: false, why: "broken" }));
  });
}
