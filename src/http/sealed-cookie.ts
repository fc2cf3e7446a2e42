/**
 * A cookie that its bearer can neither read nor make: an encrypted token under a key of this process, with a time at which
 * it ends. A restart ends all of them. Knows nothing of what is in one.
 */
import { randomBytes } from "node:crypto";
import { EncryptJWT, jwtDecrypt } from "jose";
import type { z } from "zod";

const ALGORITHM = { alg: "dir", enc: "A256GCM" };
const KEY_BYTES = 32;
/** Browsers keep no larger ones. */
const MAX_LENGTH = 4_000;

export interface SealedCookieParts<T> {
  readonly name: string;
  readonly path: string;
  /** Sent over https alone. */
  readonly secure: boolean;
  readonly life_ms: number;
  readonly schema: z.ZodType<T>;
  readonly now: () => number;
}

export interface SealedCookie<T> {
  /** A value of `Set-Cookie`. */
  seal(value: T): Promise<string>;
  /** The value of `Set-Cookie` that takes it away. */
  readonly gone: string;
  /** What this `Cookie` header holds; null when there is nothing of ours, or nothing that still counts. */
  open(header: string | undefined): Promise<T | null>;
}

/** The first cookie of this name, as it came. */
function cookieOf(header: string | undefined, name: string): string | null {
  for (const pair of (header ?? "").split(";")) {
    const [key = "", ...value] = pair.split("=");
    if (key.trim() === name) return value.join("=").trim();
  }
  return null;
}

export function sealedCookie<T>(parts: SealedCookieParts<T>): SealedCookie<T> {
  const key = randomBytes(KEY_BYTES);
  const attributes = `Path=${parts.path}; HttpOnly; SameSite=Lax${parts.secure ? "; Secure" : ""}`;
  return {
    async seal(value) {
      const token = await new EncryptJWT({ value })
        .setProtectedHeader(ALGORITHM)
        .setAudience(parts.name)
        .setExpirationTime(new Date(parts.now() + parts.life_ms))
        .encrypt(key);
      return `${parts.name}=${token}; Max-Age=${Math.floor(parts.life_ms / 1_000)}; ${attributes}`;
    },
    gone: `${parts.name}=; Max-Age=0; ${attributes}`,
    async open(header) {
      const token = cookieOf(header, parts.name);
      if (token === null || token.length > MAX_LENGTH) return null;
      const opened = await jwtDecrypt(token, key, {
        keyManagementAlgorithms: [ALGORITHM.alg],
        contentEncryptionAlgorithms: [ALGORITHM.enc],
        audience: parts.name,
        requiredClaims: ["exp"],
        currentDate: new Date(parts.now()),
      }).catch(() => null);
      return parts.schema.safeParse(opened?.payload.value).data ?? null;
    },
  };
}
