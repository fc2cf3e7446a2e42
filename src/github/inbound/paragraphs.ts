/**
 * The paragraphs of a comment that stand at top level: what is in a quote, a list, code or HTML was not said to us. Reads
 * line by line, as CommonMark's first phase does, and each line once. Where that would take more than a look at the line, it
 * says no: after a line of a quote or a list, whatever may go on with it does.
 */

export interface Paragraph {
  readonly start: number;
  readonly end: number;
}

type Open =
  | { readonly kind: "nothing" }
  | { readonly kind: "paragraph"; readonly start: number }
  | { readonly kind: "fence"; readonly mark: string; readonly length: number }
  /** Until a line that holds this; null: until a blank line. */
  | { readonly kind: "html"; readonly until: RegExp | null }
  | { readonly kind: "quote" }
  /** `column`: where a line must begin to be in it, whatever stands before. */
  | {
      readonly kind: "list";
      readonly column: number;
      readonly isEmpty: boolean;
      readonly afterBlank: boolean;
      /** A line that may go on with it, or may have ended it. */
      readonly mayBeOver: boolean;
    };

const NOTHING: Open = { kind: "nothing" };

const BLANK = /^[ \t]*$/;
const FENCE = /^(?:(`{3,})[^`]*|(~{3,}).*)$/;
const UNDERLINE = /^(?:=+|-+)[ \t]*$/;
const HEADING = /^#{1,6}(?:[ \t]|$)/;
const RULER = /^(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^([-+*]|\d{1,9}[.)])([ \t]*)(.?)/;

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
/** A whole tag and nothing else; it begins HTML where no paragraph is open. */
const LONE_TAG = new RegExp(`^(?:<[a-z][a-z0-9-]*${ATTRIBUTE}*[ \\t]*/?>|</[a-z][a-z0-9-]*[ \\t]*>)[ \\t]*$`, "i");

/** Elements that make a quote or code of the top-level paragraphs between their tags. */
const QUOTING_TAG = /<(\/?)(?:blockquote|pre|code)\b/gi;

/** Columns of the blanks that a text begins with; a tab goes on to the next fourth one. */
function columnsOf(text: string, from: number): { readonly column: number; readonly length: number } {
  let column = from;
  let length = 0;
  for (; text[length] === " " || text[length] === "\t"; length += 1)
    column += text[length] === "\t" ? 4 - (column % 4) : 1;
  return { column, length };
}

/** Does a line begin what counts for the lines after it? */
const lasts = (text: string): boolean =>
  FENCE.test(text) || ITEM.test(text) || LONE_TAG.test(text) || HTML_UNTIL.some(([begins]) => begins.test(text));

class Reader {
  readonly paragraphs: Paragraph[] = [];
  #open: Open = NOTHING;
  #quoting = 0;
  /** Up to the next blank line all may be HTML, or not. Where that would count beyond it, nothing more is heard. */
  #isDoubtful = false;
  #isLost = false;

  line(text: string, start: number): void {
    const open = this.#open;
    if (open.kind === "fence") return this.#inFence(text, open);
    if (open.kind === "html") return this.#inHtml(text, open);
    if (BLANK.test(text)) return this.#blank(start);
    const { column, length } = columnsOf(text, 0);
    if (open.kind === "list" && column >= open.column) {
      if (open.mayBeOver && column < 4 && lasts(text.slice(length))) this.#isLost = true;
      this.#open = { ...open, isEmpty: false, afterBlank: false };
      return;
    }
    const goesOn = open.kind === "quote" || (open.kind === "list" && !open.afterBlank);
    if (column < 4) this.#begin(text.slice(length), start, column, goesOn);
    else if (goesOn) this.#goOn();
    else if (open.kind !== "paragraph") this.#open = NOTHING;
  }

  end(at: number): void {
    this.#close(at);
  }

  #close(at: number, next: Open = NOTHING): void {
    if (this.#open.kind === "paragraph" && this.#quoting === 0 && !this.#isDoubtful && !this.#isLost)
      this.paragraphs.push({ start: this.#open.start, end: at });
    this.#open = next;
    const lasts = next.kind === "fence" || next.kind === "list" || (next.kind === "html" && next.until !== null);
    if (this.#isDoubtful && lasts) this.#isLost = true;
  }

  #blank(start: number): void {
    // an item that begins with nothing ends with a blank line
    if (this.#open.kind === "list" && !this.#open.isEmpty) this.#open = { ...this.#open, afterBlank: true };
    else this.#close(start);
    this.#isDoubtful = false;
  }

  #inFence(text: string, { mark, length }: Extract<Open, { kind: "fence" }>): void {
    const close = columnsOf(text, 0);
    const rest = text.slice(close.length).trimEnd();
    const isClosed = close.column < 4 && rest.length >= length && rest === mark.repeat(rest.length);
    if (isClosed) this.#open = NOTHING;
  }

  #inHtml(text: string, { until }: Extract<Open, { kind: "html" }>): void {
    for (const [, closes] of text.matchAll(QUOTING_TAG))
      this.#quoting = Math.max(0, this.#quoting + (closes === "/" ? -1 : 1));
    if (until === null ? BLANK.test(text) : until.test(text)) this.#open = NOTHING;
  }

  /** A line that is neither blank nor indented as code is. `goesOn`: it may belong to what stands before it. */
  #begin(text: string, start: number, column: number, goesOn: boolean): void {
    const inParagraph = this.#open.kind === "paragraph";
    if (inParagraph && UNDERLINE.test(text)) return this.#close(start);
    const fence = FENCE.exec(text);
    const mark = fence?.[1] ?? fence?.[2];
    if (mark !== undefined) return this.#close(start, { kind: "fence", mark: mark[0] ?? "", length: mark.length });
    if (HEADING.test(text) || RULER.test(text)) return this.#close(start);
    if (text.startsWith(">")) return this.#close(start, { kind: "quote" });
    const item = ITEM.exec(text);
    if (item !== null && this.#isItem(item, inParagraph)) return this.#close(start, listOf(item, column));
    const html = HTML_UNTIL.find(([begins]) => begins.test(text));
    if (html !== undefined) {
      this.#close(start, { kind: "html", until: html[1] });
      return this.#inHtml(text, { kind: "html", until: html[1] });
    }
    if (!inParagraph && LONE_TAG.test(text)) return this.#loneTag(text, goesOn);
    if (goesOn) this.#goOn();
    else if (!inParagraph) this.#open = { kind: "paragraph", start };
  }

  #goOn(): void {
    if (this.#open.kind === "list") this.#open = { ...this.#open, mayBeOver: true };
  }

  /** HTML up to a blank line, unless it goes on with the paragraph of a quote or a list: then it is text of that. */
  #loneTag(text: string, goesOn: boolean): void {
    const before = this.#quoting;
    if (!goesOn) this.#open = { kind: "html", until: null };
    this.#inHtml(text, { kind: "html", until: null });
    if (!goesOn) return;
    this.#goOn();
    this.#isDoubtful = true;
    this.#quoting = Math.max(before, this.#quoting);
  }

  /** Not every line that looks like an item ends a paragraph. */
  #isItem([, mark = "", blanks = "", first = ""]: RegExpExecArray, inParagraph: boolean): boolean {
    if (blanks === "" && first !== "") return false;
    return !inParagraph || (first !== "" && (mark.length === 1 || /^1[.)]$/.test(mark)));
  }
}

function listOf([, mark = "", blanks = "", first = ""]: RegExpExecArray, column: number): Open {
  const after = column + mark.length;
  const content = columnsOf(blanks, after).column;
  const isEmpty = first === "";
  const begins = isEmpty || content - after > 4 ? after + 1 : content;
  return { kind: "list", column: begins, isEmpty, afterBlank: false, mayBeOver: false };
}

/** Of a text with `\n` at the ends of lines. A paragraph's end may hold the line's end before the next block. */
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
