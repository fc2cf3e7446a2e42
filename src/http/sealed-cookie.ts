/**
 * A cookie that its bearer can neither read nor make: AES-256-GCM under a key of this process, with a time at which it
 * ends. A restart ends all of them. Knows nothing of what is in one.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { z } from "zod";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
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
  seal(value: T): string;
  /** The value of `Set-Cookie` that takes it away. */
  readonly gone: string;
  /** What this `Cookie` header holds; null when there is nothing of ours, or nothing that still counts. */
  open(header: string | undefined): T | null;
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
  const key = randomBytes(32);
  const name = Buffer.from(parts.name);
  const sealed = z.object({ until: z.number(), value: parts.schema });
  const attributes = `Path=${parts.path}; HttpOnly; SameSite=Lax${parts.secure ? "; Secure" : ""}`;

  const decrypt = (text: string): unknown => {
    const bytes = Buffer.from(text, "base64url");
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(name).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(plain.toString("utf8"));
  };

  return {
    seal(value) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(name);
      const text = JSON.stringify({ until: parts.now() + parts.life_ms, value });
      const box = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      const kept = Buffer.concat([iv, cipher.getAuthTag(), box]).toString("base64url");
      return `${parts.name}=${kept}; Max-Age=${Math.floor(parts.life_ms / 1_000)}; ${attributes}`;
    },
    gone: `${parts.name}=; Max-Age=0; ${attributes}`,
    open(header) {
      const text = cookieOf(header, parts.name);
      if (text === null || text === "" || text.length > MAX_LENGTH) return null;
      try {
        const read = sealed.safeParse(decrypt(text));
        return read.success && read.data.until > parts.now() ? read.data.value : null;
      } catch {
        return null;
      }
    },
  };
}
