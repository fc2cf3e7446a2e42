/** How a whole Markdown parser finds commands: the reference for the scanner. Slow on hostile text, so of tests alone. */
import { fromMarkdown, type Options } from "mdast-util-from-markdown";

/** A command further down than this is not seen: parsing hostile markdown must not hold up everyone else. */
export const COMMAND_WITHIN = 10_000;

/** Of the paragraph that a command stands in, no more is read than this. */
const PARAGRAPH_LIMIT = 2_000;

/** Quotes and lists nested deeper than this are nobody's writing, and parsing them costs the square of the depth. */
const NESTING_LIMIT = 40;

const DEEPLY_NESTED = new RegExp(`^(?:[ \\t]*(?:>|(?:[-*+]|\\d{1,9}[.)])[ \\t])){${NESTING_LIMIT}}`, "m");

/** Emphasis and links do not decide what is a command, and their parsing costs the square of the length. */
const MARKDOWN: Options = {
  extensions: [{ disable: { null: ["attention", "labelStartLink", "labelStartImage", "labelEnd"] } }],
};

/** Elements that make a quote or code of the top-level paragraphs between their tags. */
const QUOTING_TAG = /<(\/?)(?:blockquote|pre|code)\b/gi;

const COMMAND_WORD = /(?<=^|\n)[^\S\n]*\/job:?(?=\s|$)/gi;
const FIRST_WORD = /^\s*\/[a-z]+(?=\s|$)/i;
const NOTHING_BEFORE = /^(?:[ \t]*\n)* {0,3}$/;
const BLANK_LINE = /\n[ \t]*(?=\n)/g;

type Root = ReturnType<typeof fromMarkdown>;

const covers = (node: Root | Root["children"][number], offset: number): boolean =>
  (node.position?.start.offset ?? Infinity) <= offset && offset < (node.position?.end.offset ?? -1);

/** Is this the text of a top-level paragraph? One underlined by `---` counts: the author meant a ruler. */
function isSaid(root: Root, source: string, offset: number): boolean {
  let quoting = 0;
  for (const node of root.children) {
    if (node.type === "html") {
      for (const tag of node.value.matchAll(QUOTING_TAG)) quoting = Math.max(0, quoting + (tag[1] === "/" ? -1 : 1));
    }
    if (!covers(node, offset)) continue;
    const underlined = node.type === "heading" && source[node.position?.start.offset ?? 0] !== "#";
    if (node.type !== "paragraph" && !underlined) return false;
    return quoting === 0 && node.children.some((child) => child.type === "text" && covers(child, offset));
  }
  return false;
}

/** Everything that decides how the line at `offset` is read: what stands before it, and the rest of its paragraph. */
function contextOf(source: string, offset: number): string {
  BLANK_LINE.lastIndex = offset;
  return source.slice(0, Math.min(BLANK_LINE.exec(source)?.index ?? source.length, offset + PARAGRAPH_LIMIT));
}

interface Word {
  /** Where its slash stands. */
  readonly start: number;
  readonly end: number;
}

const wordOf = (match: RegExpExecArray): Word => {
  const end = match.index + match[0].length;
  return { start: match.index + match[0].indexOf("/"), end };
};

/** Reads no more markdown than the first command needs; where nothing stands before it, that is none at all. */
function firstSaid(source: string, words: readonly Word[]): Word | null {
  const reachable = words.filter(({ start }) => start < COMMAND_WITHIN);
  const [first, last] = [reachable[0], reachable.at(-1)];
  if (first === undefined || last === undefined) return null;
  if (NOTHING_BEFORE.test(source.slice(0, first.start))) return first;
  for (const upTo of first === last ? [first] : [first, last]) {
    const context = contextOf(source, upTo.start);
    if (DEEPLY_NESTED.test(context)) return null;
    const root = fromMarkdown(context, MARKDOWN);
    const said = reachable.find(({ start }) => start <= upTo.start && isSaid(root, context, start));
    if (said !== undefined) return said;
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
