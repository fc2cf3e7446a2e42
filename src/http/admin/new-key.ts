/**
 * Creates an API key: the request's schema, the key, and the record that is stored. Shared by the route and the `keys`
 * command.
 */
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { REPOSITORY_NAME } from "../../contracts/repository-name.ts";
import { SCOPES, type Scope } from "../../domain/access.ts";
import { ADMIN_ACCOUNT, accountNamed } from "../../domain/job/account.ts";
import type { StoredKey } from "../../engine/ports/keys.ts";
import { head } from "../../text/text.ts";
import { hashOf } from "../middleware/auth.ts";

const KEY_PREFIX = "jm_";
const KEY_BYTES = 32;
const HINT_LENGTH = 8;
export const DEFAULT_SCOPES: readonly Scope[] = ["read", "write", "work"];

const says = (message: string) => ({ error: () => message });

const account = z
  .string(says("must be a string."))
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,37}[A-Za-z0-9])?$/,
    says("must be 1 to 39 letters, digits, dashes or underscores, as a GitHub login."),
  )
  .transform(accountNamed)
  .refine((value) => value !== ADMIN_ACCOUNT, says("admin is the account of API_KEY; name another."));

export const repositoryField = z
  .string(says("must be a string."))
  .regex(REPOSITORY_NAME, says("must name a repository as owner/name."));

const DATE = /^\d{4}-\d\d-\d\d/;

const expiry = z
  .string(says("must be a date such as 2030-01-31 or 2030-01-31T12:00:00Z."))
  .refine(
    (value) => !Number.isNaN(Date.parse(value)) && DATE.test(value),
    says("must be a date such as 2030-01-31 or 2030-01-31T12:00:00Z."),
  )
  .transform((value) => Date.parse(value))
  .meta({ pattern: DATE.source, description: "A date or a time, which lies in the future." });

/** A key that commands everywhere is never an oversight: it says so. */
const EVERYWHERE = "*";
const reach = z
  .string(says(`is missing; name the key's repository as owner/name, or ${EVERYWHERE} for every repository.`))
  .regex(
    new RegExp(`^\\${EVERYWHERE}$|${REPOSITORY_NAME.source}`),
    says(`must name a repository as owner/name, or be ${EVERYWHERE} for every repository.`),
  )
  .transform((value) => (value === EVERYWHERE ? null : value))
  .meta({ description: "`owner/name`, or `*`: every repository." });

export const keyRequestSchema = z.strictObject({
  account,
  repository: reach,
  scopes: z
    .array(
      z.enum(SCOPES, says(`must be some of ${SCOPES.join(", ")}.`)),
      says(`must be a list of ${SCOPES.join(", ")}.`),
    )
    .min(1, says("must name at least one scope."))
    .default([...DEFAULT_SCOPES])
    .transform((scopes) => [...new Set(scopes)]),
  expires_at: expiry.nullish().transform((value) => value ?? null),
});

export type KeyRequest = z.infer<typeof keyRequestSchema>;

export const NOT_IN_FUTURE = "must lie in the future.";

/** A key that would never be valid is a slip. */
export const isOver = ({ expires_at }: Pick<KeyRequest, "expires_at">, now: number): boolean =>
  expires_at !== null && expires_at <= now;

/** The key, to be shown once, and what is kept of it. */
export function newKey(
  request: Pick<StoredKey, "account" | "repository" | "scopes" | "expires_at"> &
    Partial<Pick<StoredKey, "login" | "repository_id">>,
  now: number,
): { readonly key: string; readonly stored: StoredKey } {
  const key = `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString("base64url")}`;
  return {
    key,
    stored: {
      id: randomBytes(6).toString("hex"),
      hash: hashOf(key),
      hint: head(key, HINT_LENGTH),
      account: request.account,
      login: request.login ?? null,
      repository: request.repository,
      repository_id: request.repository_id ?? null,
      scopes: request.scopes,
      created_at: now,
      expires_at: request.expires_at,
      last_used_at: null,
      replaces: null,
      replaced_by: null,
    },
  };
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export const keyViewSchema = z
  .object({
    id: z.string(),
    hint: z.string(),
    account: z.string(),
    login: z.string().nullable(),
    repository: z.string().nullable().meta({ description: "`owner/name`; null: every repository." }),
    scopes: z.array(z.enum(SCOPES)),
    created_at: z.string().nullable(),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
    replaces: z.string().nullable(),
    replaced_by: z.string().nullable(),
  })
  .meta({ id: "Key" });

/** A key as it is listed: never the key, never its hash. */
export type KeyView = z.infer<typeof keyViewSchema>;

export const keyView = (stored: StoredKey): KeyView => ({
  id: stored.id,
  hint: stored.hint,
  account: stored.account,
  login: stored.login,
  repository: stored.repository,
  scopes: [...stored.scopes],
  created_at: iso(stored.created_at),
  expires_at: iso(stored.expires_at),
  last_used_at: iso(stored.last_used_at),
  replaces: stored.replaces,
  replaced_by: stored.replaced_by,
});
