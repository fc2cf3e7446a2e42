/** A token that opens something once. Compared in constant time. */
import { hash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../../contracts/secret.ts";

export interface OneTimeToken {
  /** Whether this was it; "spent": it is, but it was taken before. */
  take(text: string): "taken" | "spent" | "wrong";
}

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

export function oneTimeToken(token: Secret): OneTimeToken {
  const expected = digest(token.reveal());
  let spent = false;
  return {
    take(text) {
      if (!timingSafeEqual(digest(text), expected)) return "wrong";
      if (spent) return "spent";
      spent = true;
      return "taken";
    },
  };
}
