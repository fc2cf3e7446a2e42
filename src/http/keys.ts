/**
 * `/api/keys`: minting, listing and revoking API keys. For admins alone; an admin key that is bound to a repository
 * cannot mint, since what it minted could reach further than itself.
 */
import type { Request } from "express";
import type { KeyStore } from "../engine/ports.ts";
import { type Answer, failure, success } from "./answer.ts";
import { principalOf } from "./auth.ts";
import { checked } from "./body.ts";
import { keyRequestSchema, keyView, newKey } from "./new-key.ts";

export interface KeyParts {
  readonly keys: KeyStore;
  readonly now: () => number;
}

const BOUND = failure(403, "forbidden", "A key that is bound to a repository cannot manage keys; use API_KEY.");

const isBound = (request: Request): boolean => principalOf(request).repository !== null;

export const createKey =
  (parts: KeyParts) =>
  async (request: Request): Promise<Answer> => {
    if (isBound(request)) return BOUND;
    const now = parts.now();
    const asked = checked(keyRequestSchema(now), request.body ?? {});
    if ("answer" in asked) return asked.answer;
    const { key, stored } = newKey(asked.value, now);
    await parts.keys.add(stored);
    return success(201, { ...keyView(stored), key }, { "Cache-Control": "no-store" });
  };

export const listKeys =
  (parts: KeyParts) =>
  async (request: Request): Promise<Answer> =>
    isBound(request) ? BOUND : success(200, (await parts.keys.list()).map(keyView));

export const revokeKey =
  (parts: KeyParts) =>
  async (request: Request): Promise<Answer> => {
    if (isBound(request)) return BOUND;
    const id = request.params.id;
    const removed = typeof id === "string" && (await parts.keys.remove(id));
    return removed
      ? { status: 204 }
      : failure(404, "not_found", "There is no key of this id; GET /api/keys lists them.");
  };
