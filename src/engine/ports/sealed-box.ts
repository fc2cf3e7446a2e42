/** Encryption of secrets at rest. */
import type { Secret } from "../../contracts/secret.ts";

/** Closes what must not lie open on a disk. `purpose`: what it is for; sealed for one, it opens for no other. */
export interface SealedBox {
  seal(secret: Secret, purpose: string): string;
  /** Throws when it was sealed with another key or for another purpose, or is damaged. */
  open(sealed: string, purpose: string): Secret;
}
