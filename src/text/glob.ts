/**
 * Globs on paths, the one kind that all settings take: `*`, `**`, `?`, `[abc]`, `[a-z]`, `[!a]`, `{a,b}`, and a slash at
 * the end for a whole folder. A file whose name begins with a dot is like any other. A comparison costs at most the
 * length of the glob times that of the path, whatever they are.
 */

export const MAX_GLOB_LENGTH = 500;
/** Globs that the braces of one may stand for. */
export const MAX_ALTERNATIVES = 32;

export const GLOB_RULES =
  "may use *, **, ?, [abc], [!abc] and {a,b}, and begins at the top folder without a slash; :, \\ and ! have no other meaning";

/** Comparisons so far: they are counted, since many globs and many paths take time however fast each is. */
interface Work {
  steps: number;
  readonly limit: number;
}

interface PathPart {
  readonly text: string;
  readonly characters: readonly string[];
}

/** `any`: any number of things, none as well. */
type Wish<Thing> = "any" | ((thing: Thing, work: Work) => boolean);
type Pattern = readonly Wish<PathPart>[];

class GlobMistake extends Error {}

/** Where the class that opens at `open` closes. */
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
  /** Positions of its own commas. */
  readonly commas: readonly number[];
}

/** The first braces that hold no others; null: there are none. */
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

/** The same without braces. */
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
  return [...done];
}

function classOf(body: string): Wish<string> {
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

function wishesOf(text: string): Wish<string>[] {
  const wishes: Wish<string>[] = [];
  for (let at = 0; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += character.length;
    if (character === "*") {
      if (wishes.at(-1) !== "any") wishes.push("any");
    } else if (character === "?") wishes.push(() => true);
    else if (character === "[") {
      const close = endOfClass(text, at - 1);
      wishes.push(classOf(text.slice(at, close)));
      at = close + 1;
    } else wishes.push((other) => other === character);
  }
  return wishes;
}

function partOf(text: string): Wish<PathPart> {
  if (text === "**") return "any";
  if (text === "" || text === "." || text === "..") throw new GlobMistake("has an empty folder, . or .. in its path");
  if (!/[*?[]/.test(text)) return (part) => part.text === text;
  const wishes = wishesOf(text);
  return (part, work) => fits(wishes, part.characters, work);
}

/** What is below a folder, as `**` and a slash at the end mean it, is not the folder's own name; with `below` it is both. */
function patternOf(text: string, below: boolean): Pattern {
  const isFolder = text.endsWith("/");
  const parts = (isFolder ? text.slice(0, -1) : text).split("/").map(partOf);
  if (below) return parts.at(-1) === "any" ? [...parts, () => true] : [...parts, "any"];
  return isFolder || parts.at(-1) === "any" ? [...parts, "any", () => true] : parts;
}

/**
 * On a dead end only the last `any` takes one thing more: it could have taken whatever an earlier one would. So the time
 * is bounded by both lengths, and nothing is ever tried in all combinations.
 */
function fits<Thing>(wishes: readonly Wish<Thing>[], things: readonly Thing[], work: Work): boolean {
  let [wish, thing] = [0, 0];
  let [anyAt, takenTo] = [-1, 0];
  while (thing < things.length) {
    work.steps += 1;
    if (work.steps > work.limit) return false;
    const [wanted, given] = [wishes[wish], things[thing]];
    if (given === undefined) return false;
    if (wanted === "any") {
      [anyAt, takenTo] = [wish, thing];
      wish += 1;
    } else if (wanted?.(given, work)) {
      wish += 1;
      thing += 1;
    } else if (anyAt < 0) return false;
    else {
      takenTo += 1;
      [wish, thing] = [anyAt + 1, takenTo];
    }
  }
  while (wishes[wish] === "any") wish += 1;
  return wish === wishes.length;
}

function check(text: string): void {
  if (text === "" || text.length > MAX_GLOB_LENGTH) throw new GlobMistake(`has 1 to ${MAX_GLOB_LENGTH} characters`);
  if (/[\\\p{Cc}]/u.test(text) || /^[/:!]/.test(text) || /[*?+@!]\(/.test(text)) throw new GlobMistake(GLOB_RULES);
}

/** The globs without braces that a glob stands for: git's own patterns know no braces, and read the rest like these. */
export function expandGlob(text: string): readonly string[] {
  check(text);
  const all = withoutBraces(text);
  for (const one of all) {
    check(one);
    patternOf(one, false);
  }
  return all;
}

/** What is wrong with a glob, as the end of a sentence; null: nothing. */
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
  /** What a glob fits includes all that is below: naming a folder bars what is in it. */
  readonly below: boolean;
  /** Comparisons that all questions together may take; none: any number. */
  readonly limit?: number;
}

/** Many globs as one question. Throws on a glob with a mistake. */
export class GlobSet {
  readonly #patterns: readonly Pattern[];
  readonly #work: Work;

  constructor(globs: readonly string[], { below, limit = Number.POSITIVE_INFINITY }: GlobOptions) {
    this.#work = { steps: 0, limit };
    this.#patterns = globs.flatMap((glob) => expandGlob(glob).map((one) => patternOf(one, below)));
  }

  /** Comparisons that all questions so far have taken. */
  get steps(): number {
    return this.#work.steps;
  }

  /** The limit is passed, and no answer since means anything. */
  get isSpent(): boolean {
    return this.#work.steps > this.#work.limit;
  }

  matches(path: string): boolean {
    const parts = path.split("/").map((text) => ({ text, characters: Array.from(text) }));
    return this.#patterns.some((pattern) => fits(pattern, parts, this.#work));
  }
}
