/** The attributes of HTML tags that a page shows nobody. */
import { finder } from "./finder.ts";

const HIDING_ATTRIBUTE =
  /\s(?:alt|title|aria-[\w-]+|data-[\w-]+|placeholder|summary)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/gi;
const TAG_START = /<[a-z]/gi;

/** Where a tag that begins at `start` is over, and whether it ever closed. */
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
 * What looks like a tag and never closes is no tag. Others that began inside of its quotes are parted: reading each of them
 * again would take the square of the length, and nobody writes that in earnest.
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
