/**
 * Where in a comment a command stands. It must begin a line of plain text at top level: what is in a quote, a list,
 * code or an HTML comment was not said to us. Knows the word `/job`, not what follows it. On doubt nothing was said.
 */
import { head } from "../../text/text.ts";
import { placesInText } from "./inline-spans.ts";
import { topParagraphs } from "./paragraphs.ts";

/** A command further down than this is not seen. */
export const COMMAND_WITHIN = 10_000;

/** Of the paragraph that a command stands in, no more is read than this. */
const PARAGRAPH_LIMIT = 2_000;

const COMMAND_WORD = /(?<=^|\n)[^\S\n]*\/job:?(?=\s|$)/gi;
const FIRST_WORD = /^\s*\/[a-z]+(?=\s|$)/i;
/** A paragraph that may be a link's definition, in whose title or address a line is no text. */
const DEFINITION = /^[ \t]*\[[\s\S]*?\]:/;

interface Word {
  /** Where its slash stands. */
  readonly start: number;
  readonly end: number;
}

const wordOf = (match: RegExpExecArray): Word => {
  const end = match.index + match[0].length;
  return { start: match.index + match[0].indexOf("/"), end };
};

function firstSaid(source: string, words: readonly Word[]): Word | null {
  const reachable = words.filter(({ start }) => start < COMMAND_WITHIN);
  if (reachable.length === 0) return null;
  const read = head(source, COMMAND_WITHIN + PARAGRAPH_LIMIT);
  let next = 0;
  for (const { start, end } of topParagraphs(read)) {
    while ((reachable[next]?.start ?? end) < start) next += 1;
    const first = next;
    while ((reachable[next]?.start ?? end) < end) next += 1;
    const text = read.slice(start, end);
    if (first === next || DEFINITION.test(text)) continue;
    const within = reachable.slice(first, next);
    const place = placesInText(
      text,
      within.map((word) => word.start - start),
    )[0];
    if (place !== undefined) return within.find((word) => word.start === start + place) ?? null;
  }
  return null;
}

/** The text of the comment after its first `/job`, up to the end; null when it holds none. `source` has `\n` ends. */
export function findCommand(source: string): string | null {
  const said = firstSaid(source, [...source.matchAll(COMMAND_WORD)].map(wordOf));
  return said === null ? null : source.slice(said.end);
}

/** The comment's very first word when it reads like a command, e.g. `/jbo`, though not of a path like `/jobs/api`. */
export function firstWord(source: string): string | null {
  const match = FIRST_WORD.exec(source);
  if (match === null) return null;
  const said = firstSaid(source, [wordOf(match)]);
  return said === null ? null : source.slice(said.start, said.end);
}
