/**
 * Redacts what looks like a secret from every text that leaves: log, result, transcript, check, comment. A safety net:
 * the real protection is that secrets have their own type and are not passed on.
 */
import { TOKENS } from "./tokens.ts";

const MARK = "[secret]";

const SHAPES = TOKENS.flatMap(({ shapes = [] }) => shapes);

/** Minimum characters of each of the three parts of a JWT, not counting the leading `eyJ`. */
const JWT_PART = 8;
const JWT_START = /(?<![A-Za-z0-9_])eyJ/;
/** The end of a token made of letters, digits, `_`, `-` and dots. */
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

/**
 * Finds JWTs inside other text. Scans by hand, since a regular expression would rescan the rest of a word at each
 * `-eyJ` in it.
 */
function withoutJwts(text: string): string {
  let clean = "";
  let from = 0;
  for (let at = text.indexOf("eyJ"); at >= 0; at = text.indexOf("eyJ", from)) {
    WORD_END.lastIndex = at;
    const end = WORD_END.exec(text)?.index ?? text.length;
    // Before a word's first `eyJ` only the adjacent character matters.
    const start = Math.max(from, at - 1);
    clean += text.slice(from, start) + withoutJwtsInWord(text.slice(start, end));
    from = end;
  }
  return clean + text.slice(from);
}

/** Shorter values would also match ordinary words. */
const MIN_LENGTH = 6;
/** Shorter pieces of base64 could be part of any word. */
const MIN_BASE64 = 8;

/**
 * The middle of the value's base64 when `before` bytes precede it, as in `user:secret`. Three bytes become four
 * characters, so a neighbour changes only the first and last characters.
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

/** The base64 forms of the value, in other text and by itself. */
const base64Spellings = (secret: string): string[] => {
  const alone = Buffer.from(secret).toString("base64").replace(/=+$/, "");
  const middles = ([0, 1, 2] as const).map((before) => base64Middle(secret, before));
  const long = [alone, ...middles].filter((text) => text.length >= MIN_BASE64);
  return [...new Set(long.flatMap((text) => [text, urlSafe(text)]))];
};

/** Characters per line of wrapped base64; longer values may contain line breaks. */
const WRAPPED_FROM = 60;

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

const wrapped = (text: string): RegExp => new RegExp([...text].map(escaped).join("[\\r\\n]*"), "g");

/** Returns a function that blanks the given values: raw, URL-encoded and in base64. */
export function blanker(secrets: Iterable<string>): (text: string) => string {
  const known = [...new Set(secrets)].filter((secret) => secret.length >= MIN_LENGTH);
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

/** Like {@link blanker}, plus everything shaped like a secret. */
export function redactor(secrets: Iterable<string> = []): (text: string) => string {
  const blank = blanker(secrets);
  return (text) => {
    let clean = blank(text);
    for (const shape of SHAPES) clean = clean.replace(shape, MARK);
    return withoutJwts(clean);
  };
}

/** {@link redactor} without known values: shapes only. */
export const redact = redactor();
