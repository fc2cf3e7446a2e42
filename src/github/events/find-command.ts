/**
 * Finds the command in a comment. It must begin a top-level line of plain text: quotes, lists, code and HTML comments
 * do not count. Recognises only the word `/job`. When in doubt, there is no command.
 */
import { head } from "../../text/text.ts";
import { placesInText } from "./inline-spans.ts";
import { topParagraphs } from "./paragraphs.ts";

/** A command further down is ignored. */
export const COMMAND_WITHIN = 10_000;

/** Characters of a command's paragraph that are read. */
const PARAGRAPH_LIMIT = 2_000;

const COMMAND_WORD = /(?<=^|\n)[^\S\n]*\/job:?(?=\s|$)/gi;
const FIRST_WORD = /^\s*\/[a-z]+(?=\s|$)/i;
/** A paragraph that may be a link definition, whose title or address may span lines. */
const DEFINITION = /^[ \t]*\[[\s\S]*?\]:/;

interface Word {
  /** Position of its slash. */
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

/** The text after the first `/job` up to the end of the comment; null when there is none. Expects `\n` line ends. */
export function findCommand(source: string): string | null {
  const said = firstSaid(source, [...source.matchAll(COMMAND_WORD)].map(wordOf));
  return said === null ? null : source.slice(said.end);
}

/** The comment's first word if it looks like a command, e.g. `/jbo`, and not like a path such as `/jobs/api`. */
export function firstWord(source: string): string | null {
  const match = FIRST_WORD.exec(source);
  if (match === null) return null;
  const said = firstSaid(source, [wordOf(match)]);
  return said === null ? null : source.slice(said.start, said.end);
}
