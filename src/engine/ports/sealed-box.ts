/** Encryption of secrets at rest. */
import type { Secret } from "../../contracts/secret.ts";

/** Encrypts secrets for storage. `purpose`: a sealed value opens only for the purpose that it was sealed for. */
export interface SealedBox {
  seal(secret: Secret, purpose: string): string;
  /** Throws for another key, another purpose, or damaged data. */
  open(sealed: string, purpose: string): Secret;
}
