/**
 * Finds the top-level paragraphs of a comment; quotes, lists, code and HTML do not count. Follows the first phase of
 * CommonMark and reads each line once. Where that would need more context, it rejects: any possible continuation of a
 * quote or list is part of it.
 */

export interface Paragraph {
  readonly start: number;
  readonly end: number;
}

type Open =
  | { readonly kind: "nothing" }
  | { readonly kind: "paragraph"; readonly start: number; readonly isActive: boolean }
  | { readonly kind: "fence"; readonly mark: string; readonly length: number }
  /** Ends at a line that contains this; null: ends at a blank line. */
  | { readonly kind: "html"; readonly until: RegExp | null }
  | { readonly kind: "quote" }
  /** `column`: the indentation that a line needs to belong to it. */
  | {
      readonly kind: "list";
      readonly column: number;
      readonly isEmpty: boolean;
      readonly afterBlank: boolean;
      /** The next line may continue it or may be outside. */
      readonly mayBeOver: boolean;
    };

const NOTHING: Open = { kind: "nothing" };

const BLANK = /^[ \t]*$/;
const FENCE = /^(?:(`{3,})[^`]*|(~{3,}).*)$/;
const UNDERLINE = /^(?:=+|-+)[ \t]*$/;
const HEADING = /^#{1,6}(?:[ \t]|$)/;
const RULER = /^(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^([-+*]|\d{1,9}[.)])(?:([ \t]+)(.?)|$)/;

const HTML_UNTIL: readonly (readonly [start: RegExp, until: RegExp | null])[] = [
  [/^<(?:script|pre|style|textarea)(?:\s|>|$)/i, /<\/(?:script|pre|style|textarea)>/i],
  [/^<!--/, /-->/],
  [/^<\?/, /\?>/],
  [/^<!\[CDATA\[/, /\]\]>/],
  [/^<![a-z]/i, />/],
  [
    /^<\/?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?:\s|\/?>|$)/i,
    null,
  ],
];
const ATTRIBUTE = "(?:[ \\t]+[a-z_:][\\w.:-]*(?:[ \\t]*=[ \\t]*(?:[^\\s\"'=<>`]+|'[^'\\n]*'|\"[^\"\\n]*\"))?)";
/** A complete tag alone on its line; it begins HTML where no paragraph is open. */
const LONE_TAG = new RegExp(`^(?:<[a-z][a-z0-9-]*${ATTRIBUTE}*[ \\t]*/?>|</[a-z][a-z0-9-]*[ \\t]*>)[ \\t]*$`, "i");

/** Elements that turn the top-level paragraphs between their tags into quotes or code. */
const QUOTING_TAG = /<(\/?)(?:blockquote|pre|code)\b/gi;

/** The columns of the leading blanks; a tab advances to a multiple of four. */
function columnsOf(text: string, from: number): { readonly column: number; readonly length: number } {
  let column = from;
  let length = 0;
  for (; text[length] === " " || text[length] === "\t"; length += 1)
    column += text[length] === "\t" ? 4 - (column % 4) : 1;
  return { column, length };
}

/** Whether a line opens a block that affects the lines after it. */
const lasts = (text: string): boolean =>
  FENCE.test(text) || ITEM.test(text) || LONE_TAG.test(text) || HTML_UNTIL.some(([begins]) => begins.test(text));

class Reader {
  readonly paragraphs: Paragraph[] = [];
  #open: Open = NOTHING;
  #quoting = 0;
  /**
   * Whether the lines up to the next blank line may be HTML. If such a block would affect later text, the rest is
   * ignored.
   */
  #isUncertain = false;
  #isLost = false;

  line(text: string, start: number): void {
    this.#become(this.#after(text, start), start);
  }

  end(at: number): void {
    this.#become(NOTHING, at);
  }

  #become(next: Open, at: number): void {
    const open = this.#open;
    if (open === next) return;
    this.#open = next;
    if (open.kind === "paragraph" && open.isActive) this.paragraphs.push({ start: open.start, end: at });
  }

  /** The block that is open after this line. */
  #after(text: string, start: number): Open {
    const open = this.#open;
    const { column, length } = columnsOf(text, 0);
    const rest = text.slice(length);
    if (open.kind === "fence") return column < 4 && closes(open, rest.trimEnd()) ? NOTHING : open;
    if (open.kind === "html") return this.#inHtml(text, open);
    if (rest === "") return this.#blank(open);
    if (this.#isUncertain && text.search(QUOTING_TAG) >= 0) this.#isLost = true;
    if (open.kind === "list" && column >= open.column) {
      if (open.mayBeOver && column < 4 && lasts(rest)) this.#isLost = true;
      return { ...open, isEmpty: false, afterBlank: false };
    }
    const goesOn = open.kind === "quote" || (open.kind === "list" && !open.afterBlank);
    const begun = column < 4 ? this.#begun(rest, column, goesOn) : null;
    if (begun === null) {
      if (goesOn) return goneOn(open);
      if (open.kind === "paragraph") return open;
      const isActive = this.#quoting === 0 && !this.#isUncertain && !this.#isLost;
      return column < 4 ? { kind: "paragraph", start, isActive } : NOTHING;
    }
    if (this.#isUncertain && counts(begun)) this.#isLost = true;
    return begun.kind === "html" ? this.#inHtml(text, begun) : begun;
  }

  #blank(open: Open): Open {
    this.#isUncertain = false;
    // A blank line ends a list item that begins empty.
    return open.kind === "list" && !open.isEmpty ? { ...open, afterBlank: true } : NOTHING;
  }

  #inHtml(text: string, html: Extract<Open, { kind: "html" }>): Open {
    for (const [, isEnd] of text.matchAll(QUOTING_TAG))
      this.#quoting = Math.max(0, this.#quoting + (isEnd === "/" ? -1 : 1));
    return (html.until ?? BLANK).test(text) ? NOTHING : html;
  }

  /**
   * The block that a line begins, if neither blank nor indented; null when it is text. `goesOn`: it may continue the
   * previous block.
   */
  #begun(text: string, column: number, goesOn: boolean): Open | null {
    const inParagraph = this.#open.kind === "paragraph";
    if (inParagraph && UNDERLINE.test(text)) return NOTHING;
    const fence = FENCE.exec(text);
    const mark = fence?.[1] ?? fence?.[2];
    if (mark !== undefined) return { kind: "fence", mark: mark[0] ?? "", length: mark.length };
    if (HEADING.test(text) || RULER.test(text)) return NOTHING;
    if (text.startsWith(">")) return { kind: "quote" };
    const item = ITEM.exec(text);
    if (item !== null && (!inParagraph || endsParagraph(item)))
      return listOf(item, column, goesOn && !endsParagraph(item));
    const html = HTML_UNTIL.find(([begins]) => begins.test(text));
    if (html !== undefined) return { kind: "html", until: html[1] };
    if (inParagraph || !LONE_TAG.test(text)) return null;
    if (!goesOn) return { kind: "html", until: null };
    // HTML up to a blank line, unless it continues the paragraph of a quote or list, where it is text.
    this.#isUncertain = true;
    if ([...text.matchAll(QUOTING_TAG)].some(([, isEnd]) => isEnd !== "/")) this.#quoting += 1;
    return null;
  }
}

const closes = ({ mark, length }: Extract<Open, { kind: "fence" }>, text: string): boolean =>
  text.length >= length && text === mark.repeat(text.length);

const goneOn = (open: Open): Open => (open.kind === "list" ? { ...open, mayBeOver: true } : open);

/** Whether it affects the lines after the next blank one. */
const counts = (open: Open): boolean =>
  open.kind === "fence" || open.kind === "list" || (open.kind === "html" && open.until !== null);

/** Not every list item can interrupt a paragraph. */
const endsParagraph = ([, mark = "", , first = ""]: RegExpExecArray): boolean =>
  first !== "" && (mark.length === 1 || /^1[.)]$/.test(mark));

function listOf([, mark = "", blanks = "", first = ""]: RegExpExecArray, column: number, mayBeOver: boolean): Open {
  const after = column + mark.length;
  const content = columnsOf(blanks, after).column;
  const isEmpty = first === "";
  const begins = isEmpty || content - after > 4 ? after + 1 : content;
  return { kind: "list", column: begins, isEmpty, afterBlank: false, mayBeOver };
}

/** Expects `\n` line ends. A paragraph's end may include the line end before the next block. */
export function topParagraphs(source: string): readonly Paragraph[] {
  const reader = new Reader();
  let start = 0;
  while (start <= source.length) {
    const next = source.indexOf("\n", start);
    const end = next < 0 ? source.length : next;
    reader.line(source.slice(start, end), start);
    start = end + 1;
  }
  reader.end(source.length);
  return reader.paragraphs;
}
