/**
 * Path globs, the one kind that all settings use: `*`, `**`, `?`, `[abc]`, `[a-z]`, `[!a]`, `{a,b}`, and a trailing
 * slash for a whole folder. Dotfiles are not special. A comparison takes at most the product of the lengths of glob and
 * path.
 */

export const MAX_GLOB_LENGTH = 500;
/** How many globs the braces of one glob may expand to, and how many characters these may have together. */
export const MAX_ALTERNATIVES = 32;
export const MAX_EXPANDED = 1_000;

export const GLOB_RULES =
  "may use *, **, ?, [abc], [!abc] and {a,b}, and begins at the top folder without a slash; :, \\ and ! have no other meaning";

/** Counts comparisons, since many globs on many paths add up. */
interface ComparisonCount {
  steps: number;
  readonly limit: number;
}

interface PathPart {
  readonly text: string;
  readonly characters: readonly string[];
}

/** `any`: any number of items, including none. */
type Matcher<Thing> = "any" | ((item: Thing, comparisons: ComparisonCount) => boolean);
type Pattern = readonly Matcher<PathPart>[];

class GlobMistake extends Error {}

/** The position where the class that opens at `open` closes. */
function endOfClass(text: string, open: number): number {
  const first = text[open + 1] === "!" || text[open + 1] === "^" ? open + 2 : open + 1;
  const close = text.indexOf("]", first + 1);
  if (close < 0 || text[first] === "]") throw new GlobMistake("has a [ that is not closed, or has nothing in it");
  if (/[[/{}]/.test(text.slice(first, close))) throw new GlobMistake("has one of [, /, { and } between [ and ]");
  return close;
}

interface Braces {
  readonly open: number;
  readonly close: number;
  /** Positions of the commas at its own level. */
  readonly commas: readonly number[];
}

/** The first braces without nested braces; null when there are none. */
function innerBraces(text: string): Braces | null {
  let open = -1;
  let commas: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "[") at = endOfClass(text, at);
    else if (text[at] === "{") [open, commas] = [at, []];
    else if (text[at] === "," && open >= 0) commas.push(at);
    else if (text[at] === "}") {
      if (open < 0 || commas.length === 0)
        throw new GlobMistake("has braces without a comma in them, or half of a pair");
      return { open, close: at, commas };
    }
  }
  if (open >= 0) throw new GlobMistake("has a { that is not closed");
  return null;
}

/** Expands braces. */
function withoutBraces(text: string): readonly string[] {
  let open = [text];
  const done = new Set<string>();
  while (open.length > 0) {
    const next: string[] = [];
    for (const one of open) {
      const braces = innerBraces(one);
      if (braces === null) {
        done.add(one);
        continue;
      }
      const ends = [...braces.commas, braces.close];
      for (const [at, end] of ends.entries()) {
        const from = at === 0 ? braces.open : (ends[at - 1] ?? 0);
        next.push(one.slice(0, braces.open) + one.slice(from + 1, end) + one.slice(braces.close + 1));
      }
    }
    if (next.length + done.size > MAX_ALTERNATIVES)
      throw new GlobMistake(`stands for more than ${MAX_ALTERNATIVES} globs: write fewer braces`);
    open = next;
  }
  if (done.size > 1 && [...done].reduce((sum, one) => sum + one.length, 0) > MAX_EXPANDED)
    throw new GlobMistake(`stands for globs of more than ${MAX_EXPANDED} characters: write fewer braces`);
  return [...done];
}

function classOf(body: string): Matcher<string> {
  const negated = body.startsWith("!") || body.startsWith("^");
  const characters = Array.from(negated ? body.slice(1) : body, (one) => one.codePointAt(0) ?? 0);
  const ranges: (readonly [number, number])[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const [first = 0, dash, last] = characters.slice(at, at + 3);
    const isRange = dash === 0x2d && last !== undefined;
    if (isRange && last < first) throw new GlobMistake("has a range that ends before it begins between [ and ]");
    ranges.push([first, isRange ? last : first]);
    if (isRange) at += 2;
  }
  const within = (one: number): boolean => ranges.some(([first, last]) => first <= one && one <= last);
  return (character) => within(character.codePointAt(0) ?? 0) !== negated;
}

const anyCharacter = (): boolean => true;

function matchersOf(text: string): Matcher<string>[] {
  const matchers: Matcher<string>[] = [];
  for (let at = 0; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += character.length;
    if (character === "*") {
      if (matchers.at(-1) !== "any") matchers.push("any");
    } else if (character === "?") matchers.push(anyCharacter);
    else if (character === "[") {
      const close = endOfClass(text, at - 1);
      matchers.push(classOf(text.slice(at, close)));
      at = close + 1;
    } else matchers.push((other) => other === character);
  }
  return matchers;
}

function partOf(text: string): Matcher<PathPart> {
  if (text === "**") return "any";
  if (text === "" || text === "." || text === "..") throw new GlobMistake("has an empty folder, . or .. in its path");
  if (!/[*?[]/.test(text)) return (part) => part.text === text;
  const matchers = matchersOf(text);
  return (part, comparisons) => fits(matchers, part.characters, comparisons);
}

/**
 * What `**` or a trailing slash matches lies below a folder and excludes the folder itself; with `below` it includes
 * both.
 */
function patternOf(text: string, below: boolean): Pattern {
  const isFolder = text.endsWith("/");
  const parts = (isFolder ? text.slice(0, -1) : text).split("/").map(partOf);
  if (below) return parts.at(-1) === "any" ? [...parts, () => true] : [...parts, "any"];
  return isFolder || parts.at(-1) === "any" ? [...parts, "any", () => true] : parts;
}

/**
 * On a mismatch only the last `any` takes one more item, since it could take whatever an earlier one would. So the time
 * is bounded by the product of both lengths, without trying combinations.
 */
function fits<Thing>(
  matchers: readonly Matcher<Thing>[],
  items: readonly Thing[],
  comparisons: ComparisonCount,
): boolean {
  let [matcher, item] = [0, 0];
  let [anyAt, takenTo] = [-1, 0];
  while (item < items.length) {
    comparisons.steps += 1;
    if (comparisons.steps > comparisons.limit) return false;
    const [wanted, given] = [matchers[matcher], items[item]];
    if (given === undefined) return false;
    if (wanted === "any") {
      [anyAt, takenTo] = [matcher, item];
      matcher += 1;
    } else if (wanted?.(given, comparisons)) {
      matcher += 1;
      item += 1;
    } else if (anyAt < 0) return false;
    else {
      takenTo += 1;
      [matcher, item] = [anyAt + 1, takenTo];
    }
  }
  while (matchers[matcher] === "any") matcher += 1;
  return matcher === matchers.length;
}

function check(text: string): void {
  if (text === "" || text.length > MAX_GLOB_LENGTH) throw new GlobMistake(`has 1 to ${MAX_GLOB_LENGTH} characters`);
  if (/[\\\p{Cc}]/u.test(text) || /^[/:!]/.test(text) || /[*?+@!]\(/.test(text)) throw new GlobMistake(GLOB_RULES);
}

/** The brace-free globs that a glob expands to: git's patterns have no braces and otherwise work alike. */
export function expandGlob(text: string): readonly string[] {
  check(text);
  const all = withoutBraces(text);
  for (const one of all) {
    check(one);
    patternOf(one, false);
  }
  return all;
}

/** What is wrong with a glob, as the end of a sentence; null when it is valid. */
export function globMistake(text: string): string | null {
  try {
    expandGlob(text);
    return null;
  } catch (error) {
    if (error instanceof GlobMistake) return error.message;
    throw error;
  }
}

export interface GlobOptions {
  /** A match on a folder includes everything in it. */
  readonly below: boolean;
  /** Limits the comparisons of all calls together; none by default. */
  readonly limit?: number;
}

/** Matches many globs at once. Throws on an invalid glob. */
export class GlobSet {
  readonly #patterns: readonly Pattern[];
  readonly #work: ComparisonCount;

  constructor(globs: readonly string[], { below, limit = Number.POSITIVE_INFINITY }: GlobOptions) {
    this.#work = { steps: 0, limit };
    this.#patterns = globs.flatMap((glob) => expandGlob(glob).map((one) => patternOf(one, below)));
  }

  /** Comparisons of all calls so far. */
  get steps(): number {
    return this.#work.steps;
  }

  /** The limit is exceeded, so results since then are meaningless. */
  get isSpent(): boolean {
    return this.#work.steps > this.#work.limit;
  }

  matches(path: string): boolean {
    const parts = path.split("/").map((text) => ({ text, characters: Array.from(text) }));
    return this.#patterns.some((pattern) => fits(pattern, parts, this.#work));
  }
}
