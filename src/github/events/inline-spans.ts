/** Finds inline code and HTML in a paragraph, which may span lines. Reads each character about once. */
import { finder } from "../../text/finder.ts";

const ATTRIBUTE = "(?:\\s+[a-z_:][\\w.:-]*(?:\\s*=\\s*(?:[^\\s\"'=<>`]+|'[^']*'|\"[^\"]*\"))?)";
const TAG = new RegExp(`<[a-z][a-z0-9-]*${ATTRIBUTE}*\\s*/?>|</[a-z][a-z0-9-]*\\s*>`, "iy");
const LINK = /<[a-z][a-z0-9.+-]{1,31}:[^\s<>]*>|<[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9.-]+>/iy;
/** Tags are read to their ends; no genuine paragraph has more of them. */
const MAX_TAGS = 200;

type Find = (from: number) => number;

/** The next run of exactly this many backticks, in a text that is read forwards. */
function backticks(text: string): (length: number, from: number) => number | null {
  const runs = new Map<number, { readonly places: number[]; next: number }>();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    const alike = runs.get(run.length) ?? { places: [], next: 0 };
    alike.places.push(index);
    runs.set(run.length, alike);
  }
  return (length, from) => {
    const alike = runs.get(length);
    while (alike !== undefined && (alike.places[alike.next] ?? from) < from) alike.next += 1;
    return alike?.places[alike.next] ?? null;
  };
}

const endOf = (text: string, found: number, length: number): number | null =>
  found === text.length ? null : found + length;

class Spans {
  readonly #text: string;
  readonly #backticks: ReturnType<typeof backticks>;
  readonly #ends: Readonly<Record<"comment" | "instruction" | "cdata" | "declaration", Find>>;
  #tags = 0;

  constructor(text: string) {
    this.#text = text;
    this.#backticks = backticks(text);
    this.#ends = {
      comment: finder(text, /-->/),
      instruction: finder(text, /\?>/),
      cdata: finder(text, /\]\]>/),
      declaration: finder(text, />/),
    };
  }

  get areTooMany(): boolean {
    return this.#tags > MAX_TAGS;
  }

  /** The end of the span that begins at `at`, or of the single character if it is none. */
  endAt(at: number): number {
    switch (this.#text[at]) {
      case "\\":
        return at + 2;
      case "`":
        return this.#codeEnd(at);
      case "<":
        return this.#htmlEnd(at) ?? at + 1;
      default:
        return at + 1;
    }
  }

  #codeEnd(at: number): number {
    let end = at;
    while (this.#text[end] === "`") end += 1;
    const close = this.#backticks(end - at, end);
    return close === null ? end : close + end - at;
  }

  #htmlEnd(at: number): number | null {
    const text = this.#text;
    if (text.startsWith("<!-->", at) || text.startsWith("<!--->", at)) return text.indexOf(">", at) + 1;
    if (text.startsWith("<!--", at)) return endOf(text, this.#ends.comment(at + 4), 3);
    if (text.startsWith("<?", at)) return endOf(text, this.#ends.instruction(at + 2), 2);
    if (text.startsWith("<![CDATA[", at)) return endOf(text, this.#ends.cdata(at + 9), 3);
    if (/^<![a-z]/i.test(text.slice(at, at + 3))) return endOf(text, this.#ends.declaration(at + 2), 1);
    if (!/^<[a-z/\d]/i.test(text.slice(at, at + 2))) return null;
    this.#tags += 1;
    for (const pattern of [LINK, TAG]) {
      pattern.lastIndex = at;
      if (!this.areTooMany && pattern.test(text)) return pattern.lastIndex;
    }
    return null;
  }
}

/** Of ascending positions, those outside of code and HTML; none when the paragraph is too complex. */
export function placesInText(text: string, places: readonly number[]): readonly number[] {
  const spans = new Spans(text);
  const found: number[] = [];
  let at = 0;
  for (const place of places) {
    while (at < place && !spans.areTooMany) at = spans.endAt(at);
    if (spans.areTooMany) return [];
    if (at === place) found.push(place);
  }
  return found;
}
