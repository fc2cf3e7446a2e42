/**
 * Processes bodies that would block the main thread for too long, as values that can be passed between threads: tasks
 * with the bytes, and results with no more than the App uses, since they are copied on the main thread.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";

export interface DeliveryTask {
  readonly kind: "delivery";
  /** The body, in order. */
  readonly parts: readonly Uint8Array[];
  /** `X-Hub-Signature-256` and `X-GitHub-Event`. */
  readonly signature: string;
  readonly event: string;
  /** Whom the App knows itself by. */
  readonly self: { readonly appId: number; readonly slug: string };
}

export type DeliveryRead =
  | { readonly kind: "forged" }
  | { readonly kind: "no-json" }
  | { readonly kind: "translated"; readonly translated: TranslatedEvent };

type Translate = (event: string, payload: unknown, self: DeliveryTask["self"]) => TranslatedEvent;

/** `signature`: as in `X-Hub-Signature-256`, over the bytes as they came. */
export function isSigned(parts: readonly Uint8Array[], signature: string, secret: string): boolean {
  const hmac = createHmac("sha256", secret);
  for (const part of parts) hmac.update(part);
  const [expected, given] = [Buffer.from(`sha256=${hmac.digest("hex")}`), Buffer.from(signature)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

export function readDelivery(
  { parts, signature, event, self }: DeliveryTask,
  secret: string,
  translate: Translate,
): DeliveryRead {
  if (!isSigned(parts, signature, secret)) return { kind: "forged" };
  let payload: unknown;
  try {
    payload = JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    return { kind: "no-json" };
  }
  return { kind: "translated", translated: translate(event, payload, self) };
}
