/**
 * Rotates a key: creates a new one like it and lets the old one work for a while, so that its user can change over.
 * Shared by the routes and the `keys` command.
 */
import * as z from "zod";
import type { KeyStore, StoredKey } from "../../engine/ports/keys.ts";
import { isOver, newKey } from "./new-key.ts";

export const DEFAULT_OVERLAP_SECONDS = 86_400;
export const MAX_OVERLAP_SECONDS = 30 * 86_400;

const SENTENCE = `must be a whole number of seconds from 0 to ${MAX_OVERLAP_SECONDS}.`;
const says = { error: () => SENTENCE };

/** Replaced keys of one account that still work; more would only be a loop. */
export const MAX_OVERLAPPING = 20;

export const overlapSchema = z
  .number(says)
  .int(says)
  .min(0, says)
  .max(MAX_OVERLAP_SECONDS, says)
  .default(DEFAULT_OVERLAP_SECONDS)
  .meta({ description: "How long the old key still works; 0: not at all." });

export type Rotation =
  | { readonly ok: true; readonly key: string; readonly stored: StoredKey; readonly overlap_ends_at: number }
  | {
      readonly ok: false;
      readonly code: "not_found" | "key_replaced" | "key_expired" | "too_many_keys";
      readonly sentence: string;
    };

const NOT_FOUND = {
  ok: false,
  code: "not_found",
  sentence: "There is no key of this id; GET /api/keys lists them.",
} as const;
const EXPIRED = { ok: false, code: "key_expired", sentence: "This key has expired; create a new one." } as const;

const TOO_MANY = {
  ok: false,
  code: "too_many_keys",
  sentence: `${MAX_OVERLAPPING} replaced keys of this account still work; wait until some have ended, or revoke them.`,
} as const;

/** A replaced key creates no other key: otherwise whoever stole it could use the overlap to keep access. */
const replaced = (by: string | null): Rotation => ({
  ok: false,
  code: "key_replaced",
  sentence: `This key has been replaced${by === null ? "" : ` by ${by}`} already; rotate that one.`,
});

export async function rotateKey(keys: KeyStore, id: string, overlap_seconds: number, now: number): Promise<Rotation> {
  const all = await keys.list();
  const old = all.find((key) => key.id === id);
  if (old === undefined) return NOT_FOUND;
  if (old.replaced_by !== null) return replaced(old.replaced_by);
  if (isOver(old, now)) return EXPIRED;
  const overlapping = all.filter((key) => key.account === old.account && key.replaced_by !== null && !isOver(key, now));
  if (overlapping.length >= MAX_OVERLAPPING) return TOO_MANY;
  const { key, stored } = newKey(old, now);
  const ends = now + overlap_seconds * 1_000;
  if (!(await keys.replace({ ...stored, replaces: id }, ends))) return replaced(null);
  const overlap_ends_at = Math.min(ends, old.expires_at ?? ends);
  return { ok: true, key, stored: { ...stored, replaces: id }, overlap_ends_at };
}
