/** Removes the titles of Markdown links and link references, which a page shows only on hover. */
import { finder } from "./finder.ts";

const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", "(": ")" };

type Find = (from: number) => number;

interface Finders {
  readonly blank: Find;
  readonly angle: Find;
  readonly lineEnd: Find;
  readonly closing: Readonly<Record<string, Find>>;
  readonly afterDestination: Find;
  readonly afterTitle: Find;
}

const findersOf = (text: string): Finders => ({
  blank: finder(text, /\s/),
  angle: finder(text, />/),
  lineEnd: finder(text, /\n/),
  closing: { '"': finder(text, /"/), "'": finder(text, /'/), ")": finder(text, /\)/) },
  afterDestination: finder(text, /\S/),
  afterTitle: finder(text, /[^ \t\n]/),
});

/** The end of a title that follows `end`; null when none follows. */
function titleAfter(text: string, end: number, find: Finders): number | null {
  const start = find.afterDestination(end);
  const closing = CLOSING[text[start] ?? ""];
  if (start === end || closing === undefined) return null;
  const close = find.closing[closing]?.(start + 1) ?? text.length;
  return close === text.length ? null : close + 1;
}

/** The end of the destination that begins at `start`; null when there is none. */
function destinationEnd(text: string, start: number, find: Finders): number | null {
  if (text[start] !== "<") return find.blank(start) === start ? null : find.blank(start);
  const close = find.angle(start);
  return close < text.length && close < find.lineEnd(start) ? close + 1 : null;
}

/** Positions in a word from which brackets close no more than they open. */
function openPlaces(text: string, from: number, end: number): ReadonlySet<number> {
  const places = new Set<number>();
  let unopened = 0;
  for (let at = end - 1; at >= from; at -= 1) {
    if (text[at] === ")") unopened += 1;
    else if (text[at] === "(" && unopened > 0) unopened -= 1;
    if (unopened === 0) places.add(at);
  }
  return places;
}

/** `[text](destination "title")` */
function withoutLinkTitles(text: string): string {
  const find = findersOf(text);
  const next = finder(text, /\S/);
  let clean = "";
  let from = 0;
  let word: { readonly end: number; readonly places: ReadonlySet<number> } = { end: -1, places: new Set() };
  for (let at = text.indexOf("]("); at >= 0; at = text.indexOf("](", at + 2)) {
    const start = next(at + 2);
    const end = destinationEnd(text, start, find);
    if (end === null) continue;
    if (text[start] !== "<") {
      if (word.end !== end) word = { end, places: openPlaces(text, start, end) };
      if (!word.places.has(start)) continue;
    }
    const close = titleAfter(text, end, find);
    const after = close === null ? -1 : find.afterTitle(close);
    if (at < from || text[after] !== ")") continue;
    clean += text.slice(from, end);
    from = after;
  }
  return clean + text.slice(from);
}

const REFERENCE = /^ {0,3}\[[^\]\n]+\]:\s*/gm;
/** The next line that is not blank. */
const REST_OF_LINE = /[^ \t]/;

/** `[name]: destination "title"` */
function withoutReferenceTitles(text: string): string {
  const find = findersOf(text);
  const rest = finder(text, REST_OF_LINE);
  let clean = "";
  let from = 0;
  for (const match of text.matchAll(REFERENCE)) {
    const end = destinationEnd(text, match.index + match[0].length, find);
    const close = end === null ? null : titleAfter(text, end, find);
    if (end === null || close === null || match.index < from) continue;
    const after = rest(close);
    if (after < text.length && text[after] !== "\n") continue;
    clean += text.slice(from, end);
    from = after;
  }
  return clean + text.slice(from);
}

export const withoutTitles = (text: string): string => withoutReferenceTitles(withoutLinkTitles(text));
