/** Writes changes of keys and webhooks to the audit log, with the outcome that the answer tells. */
import type { Request } from "express";
import type { AuditEntry, Recorder } from "../../engine/ports/audit.ts";
import type { HttpResult } from "../routing/answer.ts";
import { actorOf } from "./actor.ts";

export type WebhookAction =
  | "webhook-created"
  | "webhook-changed"
  | "webhook-deleted"
  | "webhook-rotated"
  | "webhook-tested"
  | "delivery-replayed";
export type KeyAction = "key-created" | "key-rotated" | "key-revoked";

/** What stands in an address may be anything, even a key. */
const KEY_ID = /^[0-9a-f]{12}$/;

export const keyTarget = (id: string): AuditEntry["target"] => (KEY_ID.test(id) ? { type: "key", id } : null);

const outcomeOf = ({ status, body }: HttpResult): string =>
  status < 400 ? "done" : body !== undefined && "code" in body ? String(body.code) : String(status);

/** The same answer, written down. `id`: of the key that it was about. */
export function recordedKey(
  record: Recorder,
  request: Request,
  action: KeyAction,
  id: string,
  answer: HttpResult,
): HttpResult {
  record(actorOf(request), { action, target: keyTarget(id), repository: null, outcome: outcomeOf(answer) });
  return answer;
}

/** The same of a webhook: the one in the store, so that nothing of a request's address is written down. */
export function recordedWebhook(
  record: Recorder,
  request: Request,
  action: WebhookAction,
  { id, repository }: { readonly id: string; readonly repository: string | null },
  answer: HttpResult,
): HttpResult {
  record(actorOf(request), { action, target: { type: "subscription", id }, repository, outcome: outcomeOf(answer) });
  return answer;
}
