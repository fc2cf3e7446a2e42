/**
 * An encrypted cookie with an expiry time, which its bearer can neither read nor forge. Sealed like the server's other
 * secrets, so that it survives a restart.
 */
import * as z from "zod";
import { Secret } from "../../contracts/secret.ts";
import type { SealedBox } from "../../engine/ports/sealed-box.ts";

/** Browsers keep no larger ones. */
const MAX_LENGTH = 4_000;

export interface SealedCookieParts<T> {
  readonly name: string;
  readonly path: string;
  /** Sent over https alone. */
  readonly secure: boolean;
  /** `Lax` where another site sends the browser here with it; `Strict` where none is to. */
  readonly same_site: "Lax" | "Strict";
  readonly life_ms: number;
  readonly schema: z.ZodType<T>;
  readonly box: SealedBox;
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
  const { box, name, now } = parts;
  const purpose = `cookie ${name}`;
  const sealed = z.object({ until: z.number(), value: parts.schema });
  const attributes = `Path=${parts.path}; HttpOnly; SameSite=${parts.same_site}${parts.secure ? "; Secure" : ""}`;
  return {
    seal(value) {
      const text = JSON.stringify({ until: now() + parts.life_ms, value });
      const token = box.seal(new Secret(text), purpose);
      return `${name}=${token}; Max-Age=${Math.floor(parts.life_ms / 1_000)}; ${attributes}`;
    },
    gone: `${name}=; Max-Age=0; ${attributes}`,
    open(header) {
      const token = cookieOf(header, name);
      if (token === null || token.length > MAX_LENGTH) return null;
      try {
        const { until, value } = sealed.parse(JSON.parse(box.open(token, purpose).reveal()));
        return until > now() ? value : null;
      } catch {
        return null;
      }
    },
  };
}
