/**
 * `/api/keys/self`: shows, rotates or revokes the key that the request is made with, whatever its scopes. `API_KEY` is
 * a setting and can be neither rotated nor revoked here.
 */
import type { Request } from "express";
import { recordedKey } from "../middleware/audited.ts";
import { principalOf } from "../middleware/auth.ts";
import { failure, success } from "../routing/answer.ts";
import { type Route, route } from "../routing/route.ts";
import { KEY_EXAMPLE, type KeyParts, revoked, rotationAnswer, rotationShape } from "./keys.ts";
import { keyView, keyViewSchema } from "./new-key.ts";
import { DEFAULT_OVERLAP_SECONDS, rotateKey } from "./rotate-key.ts";

const OF_THE_SETTINGS = failure(403, "forbidden", "API_KEY is one of the server's settings; it is changed there.");
/** It was revoked between authentication and here. */
const GONE = failure(404, "not_found", "This key has just been revoked.");

const idOf = (request: Request): string => principalOf(request).key_id ?? "";

const REFUSED = {
  403: { about: "`API_KEY` is changed in the server's settings.", codes: ["forbidden"] },
  404: { about: "It has just been revoked.", codes: ["not_found"] },
} as const;

const shared = {
  group: "keys",
  scope: "any",
  precheck: (request: Request) => (principalOf(request).key_id === null ? OF_THE_SETTINGS : null),
} as const;

const see = (parts: KeyParts): Route =>
  route({
    ...shared,
    method: "get",
    path: "/api/keys/self",
    operation: "getOwnKey",
    summary: "See the key that is sent",
    answers: { 200: { about: "What is kept of it.", schema: keyViewSchema, example: KEY_EXAMPLE }, ...REFUSED },
    async work({ request }) {
      const own = (await parts.keys.list()).find(({ id }) => id === idOf(request));
      return own === undefined ? GONE : success(200, keyView(own));
    },
  });

const rotate = (parts: KeyParts): Route =>
  route({
    ...shared,
    ...rotationShape,
    method: "post",
    path: "/api/keys/self/rotate",
    operation: "rotateOwnKey",
    summary: "Make a new key like the one that is sent, and let that one end",
    answers: { ...rotationShape.answers, ...REFUSED },
    example: { body: { overlap_seconds: DEFAULT_OVERLAP_SECONDS } },
    async work({ request, body }) {
      const id = idOf(request);
      const answer = rotationAnswer(await rotateKey(parts.keys, id, body.overlap_seconds, parts.now()));
      return recordedKey(parts.record, request, "key-rotated", id, answer);
    },
  });

const revoke = (parts: KeyParts): Route =>
  route({
    ...shared,
    method: "delete",
    lasting: true,
    path: "/api/keys/self",
    operation: "revokeOwnKey",
    summary: "Revoke the key that is sent, at once",
    answers: { 204: { about: "It is revoked, and so are those that it was rotated to." }, ...REFUSED },
    async work({ request }) {
      return revoked(parts, request, idOf(request), GONE);
    },
  });

/** Before those with an id in their path. */
export const ownKeyRoutes = (parts: KeyParts): readonly Route[] => [see(parts), rotate(parts), revoke(parts)];
