/**
 * The first step for any foreign text: makes it well formed, unifies line ends and removes invisible characters.
 * Filters and redaction come after it, since a hidden character inside a word would bypass them.
 */
const LINE_ENDS = /\r\n?|[\v\f\u0085\u2028\u2029]/g;

/**
 * Zero-width characters, direction marks, soft hyphens, fillers, variation selectors, tags, control characters. Joiners
 * and selectors are kept after an emoji.
 */
const HIDDEN =
  /(?<!\p{Extended_Pictographic})\ufe0f|(?<!\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d|\u200d(?!\p{Extended_Pictographic})|(?!\ufe0f|\u200d|[\n\t])[\p{Default_Ignorable_Code_Point}\p{Cc}\ufff9-\ufffb]/gu;

export const normalise = (text: string): string => text.toWellFormed().replace(LINE_ENDS, "\n").replace(HIDDEN, "");

/** Written by hand because it must be linear. A comment that never ends hides all that follows it. */
function withoutHtmlComments(text: string): string {
  let shown = "";
  let from = 0;
  for (let start = text.indexOf("<!--"); start >= 0; start = text.indexOf("<!--", from)) {
    shown += text.slice(from, start);
    // `<!-->` is a whole one
    const end = text.indexOf("-->", start + 2);
    if (end < 0) return shown;
    from = end + 3;
  }
  return shown + text.slice(from);
}

/** Whether the text shows nothing. */
export const isBlank = (text: string): boolean => withoutHtmlComments(normalise(text)).trim() === "";
