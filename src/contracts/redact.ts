/**
 * Redaction of what looks like a secret, for every text that leaves: log, result, transcript, check, comment.
 * A net below the real defences (secrets have a type of their own and are never handed on), not one of them.
 */
import { TOKENS } from "./tokens.ts";

const MARK = "[secret]";

const SHAPES = TOKENS.flatMap(({ shapes = [] }) => shapes);

/** Least characters of each of the three parts of a JWT, the `eyJ` that the first begins with aside. */
const JWT_PART = 8;
const JWT_START = /(?<![A-Za-z0-9_])eyJ/;
/** Where words of letters, digits, `_`, `-` and dots end. */
const WORD_END = /[^A-Za-z0-9_.-]|$/g;

function withoutJwtsInWord(word: string): string {
  const parts = word.split(".");
  const left: string[] = [];
  for (let at = 0; at < parts.length; at += 1) {
    const [first = "", second = "", third = ""] = parts.slice(at, at + 3);
    const start = first.search(JWT_START);
    const isJwt = start >= 0 && first.length - start >= 3 + JWT_PART;
    if (isJwt && second.length >= JWT_PART && third.length >= JWT_PART) {
      left.push(first.slice(0, start) + MARK);
      at += 2;
    } else left.push(first);
  }
  return left.join(".");
}

/** JWTs amid other text. By hand, since a pattern would read the rest of a word again at each `-eyJ` in it. */
function withoutJwts(text: string): string {
  let clean = "";
  let from = 0;
  for (let at = text.indexOf("eyJ"); at >= 0; at = text.indexOf("eyJ", from)) {
    WORD_END.lastIndex = at;
    const end = WORD_END.exec(text)?.index ?? text.length;
    // what stands before the word's first `eyJ` counts only as the sign next to it
    const start = Math.max(from, at - 1);
    clean += text.slice(from, start) + withoutJwtsInWord(text.slice(start, end));
    from = end;
  }
  return clean + text.slice(from);
}

/** Shorter values would blank out ordinary words. */
const SHORTEST = 6;
/** Base64 of which less is left than this could be part of any word. */
const SHORTEST_BASE64 = 8;

/**
 * The middle of the value's base64 where `before` bytes stand in front of it, as in `user:secret`: three bytes make four
 * characters, so a neighbour changes the first and the last ones alone.
 */
function base64Middle(secret: string, before: 0 | 1 | 2): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  const whole = bytes.length - (bytes.length % 3);
  return bytes
    .subarray(0, whole)
    .toString("base64")
    .slice(before === 0 ? 0 : 4);
}

const urlSafe = (base64: string): string => base64.replaceAll("+", "-").replaceAll("/", "_");

/** What is left of the value in base64, the ends included where it stands alone. */
const base64Spellings = (secret: string): string[] => {
  const alone = Buffer.from(secret).toString("base64").replace(/=+$/, "");
  const middles = ([0, 1, 2] as const).map((before) => base64Middle(secret, before));
  const long = [alone, ...middles].filter((text) => text.length >= SHORTEST_BASE64);
  return [...new Set(long.flatMap((text) => [text, urlSafe(text)]))];
};

/** Characters of a line of base64 as programs wrap it; a spelling that is longer may be broken anywhere. */
const WRAPPED_FROM = 60;

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

const wrapped = (text: string): RegExp => new RegExp([...text].map(escaped).join("[\\r\\n]*"), "g");

/** A function that blanks the given values, raw, URL-encoded and in base64, and nothing else. */
export function blanker(secrets: Iterable<string>): (text: string) => string {
  const known = [...new Set(secrets)].filter((secret) => secret.length >= SHORTEST);
  const base64 = known.flatMap(base64Spellings);
  const values = [...new Set([...known.flatMap((one) => [one, encodeURIComponent(one)]), ...base64])].sort(
    (a, b) => b.length - a.length,
  );
  const lines = base64.filter((text) => text.length > WRAPPED_FROM).map(wrapped);
  return (text) => {
    let clean = text;
    for (const value of values) clean = clean.replaceAll(value, MARK);
    for (const line of lines) clean = clean.replace(line, MARK);
    return clean;
  };
}

/** {@link blanker}, and everything shaped like a secret as well. */
export function redactor(secrets: Iterable<string> = []): (text: string) => string {
  const blank = blanker(secrets);
  return (text) => {
    let clean = blank(text);
    for (const shape of SHAPES) clean = clean.replace(shape, MARK);
    return withoutJwts(clean);
  };
}

/** {@link redactor} with no values of its own: shapes alone. */
export const redact = redactor();
