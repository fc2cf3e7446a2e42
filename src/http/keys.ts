/**
 * `/api/keys`: minting, listing and revoking API keys. For admins alone; an admin key that is bound to a repository
 * cannot mint, since what it minted could reach further than itself.
 */
import type { Request } from "express";
import { z } from "zod";
import type { KeyStore } from "../engine/ports.ts";
import { failure, success } from "./answer.ts";
import { principalOf } from "./auth.ts";
import { isOver, keyRequestSchema, keyView, keyViewSchema, newKey, NOT_IN_FUTURE } from "./new-key.ts";
import { type Route, route } from "./route.ts";

export interface KeyParts {
  readonly keys: KeyStore;
  readonly now: () => number;
}

const BOUND = failure(403, "forbidden", "A key that is bound to a repository cannot manage keys; use API_KEY.");

/** A mistake of the caller, not of what was sent. */
const unbound = (request: Request) => (principalOf(request).repository === null ? null : BOUND);

const shared = { group: "keys", scope: "admin", precheck: unbound } as const;
const FORBIDDEN = { 403: { about: "The key may not manage keys.", codes: ["forbidden"] } } as const;

const EXAMPLE = {
  ...{ id: "18e934b3158d", hint: "jm_i4JqG", account: "octocat", repository: "octocat/hello-world" },
  ...{ scopes: ["read", "write"], created_at: "2030-01-31T12:00:00.000Z", expires_at: null, last_used_at: null },
};

const createKey = (parts: KeyParts): Route =>
  route({
    ...shared,
    method: "post",
    path: "/api/keys",
    operation: "createKey",
    summary: "Mint a key",
    about: "The key is shown this once; its hash alone is kept.",
    body: keyRequestSchema,
    example: {
      body: { account: "octocat", repository: "octocat/hello-world", scopes: ["read", "write"], expires_at: null },
    },
    answers: {
      201: {
        about: "The key, and what is kept of it.",
        schema: keyViewSchema.extend({ key: z.string() }).meta({ id: "NewKey" }),
        example: { ...EXAMPLE, key: "jm_i4JqGk1mCBUzQ2vXo8dYtW5hLs7RnE3fJaPbKcD9gTw" },
      },
      ...FORBIDDEN,
    },
    async work({ body }) {
      const now = parts.now();
      if (isOver(body, now)) return failure(400, "invalid_field", `expires_at: ${NOT_IN_FUTURE}`);
      const { key, stored } = newKey(body, now);
      await parts.keys.add(stored);
      return success(201, { ...keyView(stored), key }, { "Cache-Control": "no-store" });
    },
  });

const listKeys = (parts: KeyParts): Route =>
  route({
    ...shared,
    method: "get",
    path: "/api/keys",
    operation: "listKeys",
    summary: "List the keys",
    answers: {
      200: { about: "All keys, without the keys themselves.", schema: z.array(keyViewSchema), example: [EXAMPLE] },
      ...FORBIDDEN,
    },
    work: async () => success(200, (await parts.keys.list()).map(keyView)),
  });

const revokeKey = (parts: KeyParts): Route =>
  route({
    ...shared,
    method: "delete",
    path: "/api/keys/{id}",
    operation: "revokeKey",
    summary: "Revoke a key at once",
    params: z.object({ id: z.string().meta({ description: "As the list of keys has it." }) }),
    example: { params: { id: EXAMPLE.id } },
    answers: {
      204: { about: "It is revoked." },
      ...FORBIDDEN,
      404: { about: "There is no key of this id.", codes: ["not_found"] },
    },
    async work({ params }) {
      return (await parts.keys.remove(params.id))
        ? { status: 204 }
        : failure(404, "not_found", "There is no key of this id; GET /api/keys lists them.");
    },
  });

export const keyRoutes = (parts: KeyParts): readonly Route[] => [createKey(parts), listKeys(parts), revokeKey(parts)];
