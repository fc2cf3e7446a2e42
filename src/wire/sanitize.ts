/**
 * Takes out of foreign text what a reader on github.com does not see: hidden text is how an issue gives the model
 * orders that its reader never approved. It lowers the risk and is no boundary; the container is.
 * Code blocks are cleaned like prose, since an HTML comment can make one look like the other.
 */
import { redact } from "./redact.ts";

/** GitHub's limit for an issue or a comment; longer text is cut, which also bounds the work below. */
export const MAX_FOREIGN_TEXT = 65_536;
/** Honest text settles in two rounds. */
const MAX_ROUNDS = 10;
/** Markdown hides everything after a comment that opens a line and never closes. */
const OPEN_COMMENT = /^ {0,3}<!--[\s\S]*/m;

/** Zero width, direction marks, soft hyphen, fillers, variation selectors, tag characters, byte order mark. */
const INVISIBLE =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: every mark is meant for itself, none joins its neighbour
  /\u034F|\u17B4|\u17B5|[\u00AD\u061C\u115F\u1160\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/g;

const IMAGE_TEXT = /!\[(?:[^[\]]|\[[^[\]]*\])*\]([([])/g;
const LINK_TITLE = /(\]\(\s*(?:<[^>\n]*>|[^\s)]{1,4000}))\s+(?:"[^"]*"|'[^']*'|\([^)]*\))\s*\)/g;
const REFERENCE_TITLE = /^( {0,3}\[[^\]\n]+\]:\s*\S+)\s+(?:"[^"]*"|'[^']*'|\([^)]*\))[ \t]*$/gm;
const TAG = /<[a-z](?:"[^"]*"|'[^']*'|[^<>"'])*>/gi;
const HIDING_ATTRIBUTE =
  /\s(?:alt|title|aria-[\w-]+|data-[\w-]+|placeholder|summary)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/gi;
const NUMERIC_ENTITY = /&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/gi;

/** A visible ASCII character stays as itself; any other numeric entity is a way to smuggle one in. */
function readEntity(_: string, hex: string | undefined, decimal: string | undefined): string {
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return code >= 32 && code <= 126 ? String.fromCharCode(code) : "";
}

function withoutComments(text: string): string {
  let clean = "";
  let from = 0;
  for (;;) {
    const start = text.indexOf("<!--", from);
    const end = start < 0 ? -1 : text.indexOf("-->", start + 4);
    if (end < 0) return (clean + text.slice(from)).replace(OPEN_COMMENT, "");
    clean += text.slice(from, start);
    from = end + 3;
  }
}

/** Of code, where what a page would hide is plain to see: the characters alone that nobody sees anywhere. */
export const visible = (text: string): string => text.replace(INVISIBLE, "").replace(CONTROL, "");

const round = (text: string): string =>
  withoutComments(visible(text).replace(NUMERIC_ENTITY, readEntity))
    .replace(IMAGE_TEXT, "![]$1")
    .replace(LINK_TITLE, "$1)")
    .replace(REFERENCE_TITLE, "$1")
    .replace(TAG, (tag) => tag.replace(HIDING_ATTRIBUTE, ""));

/** Removing one hidden piece can put another together, so it goes round until nothing changes. */
export function sanitize(text: string): string {
  let clean = text.slice(0, MAX_FOREIGN_TEXT).replace(/\r\n?|[\u2028\u2029]/g, "\n");
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1) {
    const before = clean;
    clean = round(before);
    if (clean === before) return redact(clean);
  }
  // Text nested this deep was built to deceive: what the rounds left of its marks is made harmless.
  return redact(clean.replaceAll("<", "(").replaceAll("&#", "& #").replaceAll("](", "] ("));
}
