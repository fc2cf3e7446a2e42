/**
 * Takes out of foreign text what a reader on github.com does not see: hidden text is how an issue gives the model
 * orders that its reader never approved. It lowers the risk and is no boundary; the container is.
 * Code blocks are cleaned like prose, since an HTML comment can make one look like the other.
 */
import { withoutTitles } from "../text/link-titles.ts";
import { normalise } from "../text/normalise.ts";
import { withoutHidingAttributes } from "../text/tags.ts";
import { head } from "../text/text.ts";
import { redact } from "./redact.ts";

/** GitHub's limit for an issue or a comment; longer text is cut, which also bounds the work below. */
export const MAX_FOREIGN_TEXT = 65_536;
/** Honest text settles in two rounds. */
const MAX_ROUNDS = 10;
/** Markdown hides everything after a comment that opens a line and never closes. */
const OPEN_COMMENT = /^ {0,3}<!--[\s\S]*/m;
const IMAGE_TEXT = /!\[(?:[^[\]]|\[[^[\]]*\])*\]([([])/g;
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

const round = (text: string): string =>
  redact(
    withoutHidingAttributes(
      withoutTitles(withoutComments(normalise(text).replace(NUMERIC_ENTITY, readEntity)).replace(IMAGE_TEXT, "![]$1")),
    ),
  );

/** Marks that hide something, each parted so that it no longer does and nothing can put it together again. */
const parted = (text: string): string =>
  text
    .replaceAll("<", "(")
    .replaceAll("&#", "& #")
    .replaceAll("](", "] (")
    .replaceAll("![", "! [")
    .replaceAll("]:", "] :");

/** Removing one hidden piece can put another together, so it goes round until nothing changes. */
export function sanitize(text: string): string {
  let clean = head(text, MAX_FOREIGN_TEXT);
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1) {
    const before = clean;
    clean = round(before);
    if (clean === before) return clean;
  }
  // Text nested this deep was built to deceive.
  return redact(parted(clean));
}
