/**
 * Redaction of what looks like a secret, for every text that leaves: log, result, transcript, check, comment.
 * A net below the real defences (secrets have a type of their own and are never handed on), not one of them.
 */
const MARK = "[secret]";

/**
 * Shapes of secrets, wherever they stand. GitHub's installation tokens are `ghs_<app>_<JWT>`, about 520 characters
 * with dots, dashes and underscores, since 2026-10 (github-facts 7.11): no length is assumed.
 */
const SHAPES: readonly RegExp[] = [
  /\bgh[pousr]_[A-Za-z0-9_.-]{16,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bsk-ant-[A-Za-z0-9_-]{16,}/g,
  /\bsk-[A-Za-z0-9_-]{24,}/g,
  /\bwhsec_[A-Za-z0-9+/=]{16,}/g,
  /\bjm_[A-Za-z0-9_-]{24,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];

/** Shorter values would blank out ordinary words. */
const SHORTEST = 6;

const spellings = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64").replace(/=+$/, ""),
  Buffer.from(secret).toString("base64url"),
];

/** A function that blanks the given values (raw, URL-encoded, base64) and everything shaped like a secret. */
export function redactor(secrets: Iterable<string> = []): (text: string) => string {
  const values = [...new Set([...secrets].filter((secret) => secret.length >= SHORTEST).flatMap(spellings))].sort(
    (a, b) => b.length - a.length,
  );
  return (text) => {
    let clean = text;
    for (const value of values) clean = clean.replaceAll(value, MARK);
    for (const shape of SHAPES) clean = clean.replace(shape, MARK);
    return clean;
  };
}

/** {@link redactor} with no values of its own: shapes alone. */
export const redact = redactor();
