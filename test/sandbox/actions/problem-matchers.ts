/**
 * Problem matchers: a step registers patterns with `::add-matcher::`, and all later output of the job is matched
 * against them. A matching line appears as an error, warning or notice.
 */
import * as z from "zod";

const group = z.number().int().min(0).optional();
/** Groups that name a file, line or code are ignored, since the log does not need them. */
const pattern = z.object({ regexp: z.string(), severity: group, message: group, loop: z.boolean().default(false) });
const matcher = z.object({
  owner: z.string().min(1),
  severity: z.string().optional(),
  pattern: z.array(pattern).min(1),
});
const file = z.object({ problemMatcher: z.array(matcher) });

type Pattern = z.output<typeof pattern> & { readonly expression: RegExp };
export interface ProblemMatcher {
  readonly owner: string;
  readonly severity: string | undefined;
  readonly patterns: readonly Pattern[];
}

/** Throws a sentence when the file is not a matcher file. */
export function readMatchers(text: string): ProblemMatcher[] {
  const read = file.safeParse(JSON.parse(text));
  if (!read.success) throw new Error(z.prettifyError(read.error));
  return read.data.problemMatcher.map(({ owner, severity, pattern: patterns }) => ({
    owner,
    severity,
    patterns: patterns.map((one) => ({ ...one, expression: new RegExp(one.regexp) })),
  }));
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** A job's matchers, newest first; a new one replaces the one with the same owner. */
export class MatcherRegistry {
  #all: readonly ProblemMatcher[] = [];

  get all(): readonly ProblemMatcher[] {
    return this.#all;
  }

  add(one: ProblemMatcher): void {
    this.remove(one.owner);
    this.#all = [one, ...this.#all];
  }

  remove(owner: string): void {
    this.#all = this.#all.filter((other) => !same(other.owner, owner));
  }
}

type Found = Readonly<Record<"severity" | "message", string | undefined>>;

const NOTHING: Found = { severity: undefined, message: undefined };

/** Colour codes, which are removed before matching. */
const CODES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m?`, "g");
const SEVERITIES = ["error", "warning", "notice"] as const;

export interface Problem {
  readonly severity: (typeof SEVERITIES)[number];
  /** The whole line without colours. */
  readonly line: string;
}

/** Matches one stream: patterns of several lines match lines of the same stream. */
export class StreamMatchers {
  readonly #registry: MatcherRegistry;
  readonly #running = new Map<ProblemMatcher, (Found | undefined)[]>();

  constructor(registry: MatcherRegistry) {
    this.#registry = registry;
  }

  match(text: string): Problem | undefined {
    const line = text.replaceAll(CODES, "");
    for (const one of this.#registry.all) {
      const found = this.#advance(one, line);
      if (found === undefined) continue;
      for (const other of this.#running.keys()) if (other !== one) this.#running.delete(other);
      const named = (found.severity || one.severity || "error").toLowerCase();
      const severity = SEVERITIES.find((known) => known === named);
      if (severity !== undefined && found.message?.trim()) return { severity, line };
    }
    return undefined;
  }

  /** Advances a matcher by one line, last pattern first; returns what a complete match found. */
  #advance(one: ProblemMatcher, line: string): Found | undefined {
    const state = this.#running.get(one) ?? [];
    this.#running.set(one, state);
    const last = one.patterns.length - 1;
    for (let index = last; index >= 0; index -= 1) {
      const pattern = one.patterns[index];
      const before = index === 0 ? NOTHING : state[index - 1];
      if (pattern === undefined || before === undefined) continue;
      const found = foundBy(pattern, line, before);
      if (index < last) state[index] = found;
      else if (found === undefined) state[index - 1] = undefined;
      else {
        state.fill(undefined);
        if (pattern.loop && index > 0) state[index - 1] = before;
        return found;
      }
    }
    return undefined;
  }
}

function foundBy(pattern: Pattern, line: string, before: Found): Found | undefined {
  const groups = pattern.expression.exec(line);
  if (groups === null) return undefined;
  const at = (index: number | undefined): string | undefined => (index === undefined ? undefined : groups[index]);
  return { severity: at(pattern.severity) ?? before.severity, message: at(pattern.message) ?? before.message };
}
