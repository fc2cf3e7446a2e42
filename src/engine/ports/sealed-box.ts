/** Encryption of secrets at rest. */
import type { Secret } from "../../contracts/secret.ts";

/** `purpose`: what the secret is for; encrypted for one purpose, it cannot be decrypted for another. */
export interface SealedBox {
  seal(secret: Secret, purpose: string): string;
  /** Throws when it was sealed with another key or for another purpose, or is damaged. */
  open(sealed: string, purpose: string): Secret;
}
