/**
 * Removes from foreign text what github.com does not show: hidden text is how an issue gives the model instructions
 * that no reader saw. This lowers the risk and is not a security boundary; the container is. Code blocks are cleaned
 * too, since an HTML comment can disguise one as the other.
 */
import { withoutTitles } from "../text/link-titles.ts";
import { normalise } from "../text/normalise.ts";
import { withoutHidingAttributes } from "../text/tags.ts";
import { head } from "../text/text.ts";
import { redact } from "./redact.ts";

/** GitHub's limit for an issue or comment. Longer text is cut, which also bounds the work below. */
export const MAX_FOREIGN_TEXT = 65_536;
/** Ordinary text needs two passes. */
const MAX_ROUNDS = 10;
/** Markdown hides everything after an unclosed comment that opens a line. */
const OPEN_COMMENT = /^ {0,3}<!--[\s\S]*/m;
const IMAGE_TEXT = /!\[(?:[^[\]]|\[[^[\]]*\])*\]([([])/g;
const NUMERIC_ENTITY = /&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/gi;

/** A visible ASCII character is kept; any other numeric entity could smuggle one in. */
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

const round = (text: string): string =>
  redact(
    withoutHidingAttributes(
      withoutTitles(withoutComments(normalise(text).replace(NUMERIC_ENTITY, readEntity)).replace(IMAGE_TEXT, "![]$1")),
    ),
  );

/** Breaks up marks that hide text, so that they lose their effect and cannot be reassembled. */
const parted = (text: string): string =>
  text
    .replaceAll("<", "(")
    .replaceAll("&#", "& #")
    .replaceAll("](", "] (")
    .replaceAll("![", "! [")
    .replaceAll("]:", "] :");

/** Repeats until nothing changes, since a removal can join two pieces into a new one. */
export function sanitize(text: string): string {
  let clean = head(text, MAX_FOREIGN_TEXT);
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1) {
    const before = clean;
    clean = round(before);
    if (clean === before) return clean;
  }
  // Text nested this deeply is deceptive.
  return redact(parted(clean));
}
