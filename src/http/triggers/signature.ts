/**
 * Whether a call of a trigger knows its secret: signed as Standard Webhooks defines it or as GitHub signs its deliveries,
 * or with the secret itself as a bearer. Compares in constant time.
 */
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Secret } from "../../contracts/secret.ts";

/** How far the clocks of sender and server may be apart; an older call is a replay. */
const TOLERANCE_SECONDS = 300;
/** More signatures than a rotation leads to are not looked at. */
const MAX_SIGNATURES = 10;

export const SECRET_PREFIX = "whsec_";
export const SECRET_BYTES = 32;

/** A key of the same length for a trigger that has none, so that it takes as long to say no. */
export const NOBODYS = `${SECRET_PREFIX}${Buffer.alloc(SECRET_BYTES).toString("base64")}`;

/** By their hashes, which have one length. */
const isSame = (a: string, b: string): boolean =>
  timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));

const one = (header: string | string[] | undefined): string | null => (typeof header === "string" ? header : null);

const macOf = (key: Buffer, ...parts: readonly (string | Buffer)[]): Buffer => {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};

function isStandard(secret: string, headers: IncomingHttpHeaders, body: Buffer, now: number): boolean {
  const [id, at, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
    one(headers[name]),
  );
  if (!(id && at && signature) || !/^\d{1,12}$/.test(at)) return false;
  if (Math.abs(now / 1_000 - Number(at)) > TOLERANCE_SECONDS) return false;
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
  const expected = `v1,${macOf(key, `${id}.${at}.`, body).toString("base64")}`;
  return signature
    .split(" ", MAX_SIGNATURES)
    .map((given) => isSame(given, expected))
    .some(Boolean);
}

/** GitHub's key is the secret as it is written. */
function isGitHubs(secret: string, headers: IncomingHttpHeaders, body: Buffer): boolean {
  const given = one(headers["x-hub-signature-256"]);
  return given !== null && isSame(given, `sha256=${macOf(Buffer.from(secret), body).toString("hex")}`);
}

export function bearerOf({ authorization }: IncomingHttpHeaders): string | null {
  const token = authorization?.slice(0, 7).toLowerCase() === "bearer " ? authorization.slice(7).trim() : "";
  return token === "" ? null : token;
}

function isBearer(secret: string, headers: IncomingHttpHeaders): boolean {
  const given = bearerOf(headers);
  return given !== null && isSame(given, secret);
}

export const isSigned = (headers: IncomingHttpHeaders): boolean =>
  one(headers["webhook-signature"]) !== null || one(headers["x-hub-signature-256"]) !== null;

/** Every secret and every way is tried, so that the time tells nothing. */
export const isCalledWith = (
  secrets: readonly Secret[],
  headers: IncomingHttpHeaders,
  body: Buffer,
  now: number,
): boolean =>
  secrets
    .flatMap((secret) => {
      const text = secret.reveal();
      return [isStandard(text, headers, body, now), isGitHubs(text, headers, body), isBearer(text, headers)];
    })
    .some(Boolean);
