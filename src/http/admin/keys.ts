/**
 * `/api/keys`: creates, lists, rotates and revokes API keys. For admins only; `own-key.ts` has a key's routes about
 * itself.
 */
import type { Request } from "express";
import * as z from "zod";
import type { Recorder } from "../../engine/ports/audit.ts";
import type { KeyStore } from "../../engine/ports/keys.ts";
import { recordedKey } from "../middleware/audited.ts";
import { failure, type HttpResult, success } from "../routing/answer.ts";
import { type Route, route } from "../routing/route.ts";
import { isOver, keyRequestSchema, keyView, keyViewSchema, NOT_IN_FUTURE, newKey } from "./new-key.ts";
import { DEFAULT_OVERLAP_SECONDS, overlapSchema, type Rotation, rotateKey } from "./rotate-key.ts";

export interface KeyParts {
  readonly keys: KeyStore;
  readonly record: Recorder;
  readonly now: () => number;
}

const shared = { group: "keys", scope: "admin" } as const;

export const KEY_EXAMPLE = {
  ...{ id: "18e934b3158d", hint: "jm_i4JqG", account: "octocat", repository: "octocat/hello-world" },
  ...{ scopes: ["read", "write"], created_at: "2030-01-31T12:00:00.000Z", expires_at: null, last_used_at: null },
  ...{ login: null, replaces: null, replaced_by: null },
};
const NEW_KEY = { key: "jm_i4JqGk1mCBUzQ2vXo8dYtW5hLs7RnE3fJaPbKcD9gTw" };

const idParams = z.object({ id: z.string().meta({ description: "As the list of keys has it." }) });
const UNKNOWN = { 404: { about: "There is no key of this id.", codes: ["not_found"] } } as const;

const createKey = (parts: KeyParts): Route =>
  route({
    ...shared,
    method: "post",
    path: "/api/keys",
    operation: "createKey",
    summary: "Create a key",
    about: "The key is shown this once; its hash alone is kept.",
    body: keyRequestSchema,
    example: {
      body: { account: "octocat", repository: "octocat/hello-world", scopes: ["read", "write"], expires_at: null },
    },
    answers: {
      201: {
        about: "The key, and what is kept of it.",
        schema: keyViewSchema.extend({ key: z.string() }).meta({ id: "NewKey" }),
        example: { ...KEY_EXAMPLE, ...NEW_KEY },
      },
    },
    async work({ request, body }) {
      const now = parts.now();
      if (isOver(body, now)) return failure(400, "invalid_field", `expires_at: ${NOT_IN_FUTURE}`);
      const { key, stored } = newKey(body, now);
      await parts.keys.add(stored);
      const answer = success(201, { ...keyView(stored), key }, { "Cache-Control": "no-store" });
      return recordedKey(parts.record, request, "key-created", stored.id, answer);
    },
  });

const UNKNOWN_KEY = failure(404, "not_found", "There is no key of this id; GET /api/keys lists them.");

/** Each key that is gone now has its line in the audit log. */
export async function revoked(parts: KeyParts, request: Request, id: string, unknown: HttpResult): Promise<HttpResult> {
  const gone = await parts.keys.remove(id);
  if (gone.length === 0) return recordedKey(parts.record, request, "key-revoked", id, unknown);
  for (const one of gone) recordedKey(parts.record, request, "key-revoked", one, { status: 204 });
  return { status: 204 };
}

const listKeys = (parts: KeyParts): Route =>
  route({
    ...shared,
    method: "get",
    path: "/api/keys",
    operation: "listKeys",
    summary: "List the keys",
    answers: {
      200: { about: "All keys, without the keys themselves.", schema: z.array(keyViewSchema), example: [KEY_EXAMPLE] },
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
    params: idParams,
    example: { params: { id: KEY_EXAMPLE.id } },
    answers: {
      204: { about: "It is revoked, and so are those that it was rotated to." },
      ...UNKNOWN,
    },
    async work({ request, params }) {
      return revoked(parts, request, params.id, UNKNOWN_KEY);
    },
  });

const ROTATION_REFUSED = { not_found: 404, key_replaced: 409, key_expired: 409, too_many_keys: 409 } as const;

export const rotationAnswer = (rotation: Rotation): HttpResult => {
  if (!rotation.ok) {
    const { code, sentence } = rotation;
    return failure(ROTATION_REFUSED[code], code, sentence);
  }
  const { key, stored, overlap_ends_at } = rotation;
  const body = { ...keyView(stored), key, overlap_ends_at: new Date(overlap_ends_at).toISOString() };
  return success(201, body, { "Cache-Control": "no-store" });
};

export const rotationShape = {
  body: z.strictObject({ overlap_seconds: overlapSchema }),
  answers: {
    201: {
      about: "The new key, shown this once, and until when the old one works.",
      schema: keyViewSchema.extend({ key: z.string(), overlap_ends_at: z.string() }).meta({ id: "RotatedKey" }),
      example: { ...KEY_EXAMPLE, ...NEW_KEY, overlap_ends_at: "2030-02-01T12:00:00.000Z" },
    },
    409: {
      about: "The key has been replaced already or has expired, or too many replaced ones still work.",
      codes: ["key_replaced", "key_expired", "too_many_keys"],
    },
  },
} as const;

const rotate = (parts: KeyParts): Route =>
  route({
    ...shared,
    ...rotationShape,
    method: "post",
    path: "/api/keys/{id}/rotate",
    operation: "rotateKey",
    summary: "Make a new key like this one, and let this one end",
    about: "Same account, repository, scopes and expiry.",
    params: idParams,
    example: { params: { id: KEY_EXAMPLE.id }, body: { overlap_seconds: DEFAULT_OVERLAP_SECONDS } },
    answers: { ...rotationShape.answers, ...UNKNOWN },
    async work({ request, params, body }) {
      const answer = rotationAnswer(await rotateKey(parts.keys, params.id, body.overlap_seconds, parts.now()));
      return recordedKey(parts.record, request, "key-rotated", params.id, answer);
    },
  });

export const keyRoutes = (parts: KeyParts): readonly Route[] => [
  createKey(parts),
  listKeys(parts),
  rotate(parts),
  revokeKey(parts),
];
