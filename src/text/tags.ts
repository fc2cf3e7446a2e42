/** Removes attributes of HTML tags, which a page does not show. */
import { finder } from "./finder.ts";

const HIDING_ATTRIBUTE =
  /\s(?:alt|title|aria-[\w-]+|data-[\w-]+|placeholder|summary)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/gi;
const TAG_START = /<[a-z]/gi;

/** The end of the tag that begins at `start`, and whether it closes. */
function tagEnd(
  text: string,
  start: number,
  mark: (from: number) => number,
  quotes: Readonly<Record<string, (from: number) => number>>,
): { readonly end: number; readonly closed: boolean } {
  let at = mark(start + 1);
  for (;;) {
    const sign = text[at];
    if (sign === ">") return { end: at + 1, closed: true };
    const closing = quotes[sign ?? ""]?.(at + 1) ?? text.length;
    if (closing === text.length) return { end: at, closed: false };
    at = mark(closing + 1);
  }
}

/**
 * An unclosed tag is plain text. Further tags inside its quotes are broken up, since parsing each of them again would
 * take quadratic time and ordinary text has none.
 */
export function withoutHidingAttributes(text: string): string {
  const mark = finder(text, /[<>"']/);
  const quotes = { '"': finder(text, /"/), "'": finder(text, /'/) };
  let clean = "";
  let from = 0;
  for (const { index } of text.matchAll(TAG_START)) {
    if (index < from) continue;
    const { end, closed } = tagEnd(text, index, mark, quotes);
    const tag = text.slice(index, end);
    clean += text.slice(from, index);
    clean += closed ? tag.replace(HIDING_ATTRIBUTE, "") : `<${tag.slice(1).replaceAll("<", "(")}`;
    from = end;
  }
  return clean + text.slice(from);
}
