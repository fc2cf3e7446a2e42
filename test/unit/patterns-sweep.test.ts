/**
 * No pattern in the sources takes the square of a text's length: each is held against a plain pass over the same text, whatever
 * that repeats. Those that may are named with the reason.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseAst } from "vite";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** Where linear and square are far apart, however fast the machine. */
const SIZE = 12_000;
/** Plain passes that a pattern may take; the square of the size is some thousands of them. */
const MOST_PASSES = 700;

const OF_THE_OPERATOR = "an address in the settings, from whoever runs the program";

/** By file and source. */
const BOUNDED: Readonly<Record<string, string>> = {
  "src/main/settings.ts /\\/+$/": OF_THE_OPERATOR,
  "src/actions-mode/settings.ts /\\/+$/": OF_THE_OPERATOR,
  "agent/action/settings.ts /\\/+$/": OF_THE_OPERATOR,
  "agent/gateway/settings.ts /\\/+$/": OF_THE_OPERATOR,
  "agent/action/report/app-settings.ts /\\/+$/": OF_THE_OPERATOR,
  "src/contracts/redact.ts /=+$/": "the base64 of a secret, which ends in two of them at most",
};

interface Pattern {
  readonly name: string;
  readonly pattern: RegExp;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Every pattern that stands in a syntax tree. */
function patternsIn(file: string, node: unknown): readonly Pattern[] {
  if (!isObject(node)) return [];
  const regex: unknown = Reflect.get(node, "regex");
  const below = Object.values(node).flatMap((one) => patternsIn(file, one));
  if (!isObject(regex)) return below;
  const [source, flags] = [String(Reflect.get(regex, "pattern")), String(Reflect.get(regex, "flags"))];
  return [...below, { name: `${file} /${source}/`, pattern: new RegExp(source, flags.replace("y", "")) }];
}

const PATTERNS = ["src", "agent"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith("test/sandbox/"))
    .flatMap((file) => patternsIn(file, parseAst(readFileSync(join(ROOT, file), "utf8"), { lang: "ts" }))),
);

const SIGNS = [
  ..."a0 \n-_./`=<>[](){}*~:;,@#\"'\\|!?&%x",
  "\t",
  "a.",
  "a-",
  "a/",
  "-a",
  "a ",
  " a",
  "a\n",
  "0.",
  "::",
  "\u2028",
];

let checksum = 0;
function pass(text: string): void {
  for (let at = 0; at < text.length; at += 1) checksum = (checksum * 31 + text.charCodeAt(at)) | 0;
}

function apply(pattern: RegExp, text: string): void {
  pattern.lastIndex = 0;
  if (pattern.global) text.replace(pattern, "");
  else pattern.test(text);
}

/** The least of several, since other work may come between; no more of them than it takes to be below what is enough. */
function least(work: () => void, enough: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let at = 0; at < 5 && best > enough; at += 1) {
    const from = performance.now();
    work();
    best = Math.min(best, performance.now() - from);
  }
  return best;
}

const PLAIN = "a".repeat(SIZE);

function isSlow(pattern: RegExp): boolean {
  const most =
    Math.max(
      0.01,
      least(() => pass(PLAIN), 0),
    ) * MOST_PASSES;
  const words = [...pattern.source.matchAll(/[A-Za-z]{2,}/g)].map(([word]) => word).slice(0, 6);
  return [...SIGNS, ...words, ...words.map((word) => `${word} `)].some((piece) => {
    const body = piece.repeat(Math.floor(SIZE / piece.length));
    const texts = [body, `${body}\u0001`, `${words[0] ?? ""}${body}\u0001`];
    return texts.some((text) => least(() => apply(pattern, text), most) > most);
  });
}

test("every pattern in the sources is linear, or bounded by what it reads", () => {
  expect(PATTERNS.length).toBeGreaterThan(250);
  // many files say the same
  const slowOnes = new Map(PATTERNS.map(({ pattern }) => [String(pattern), pattern]));
  for (const [text, pattern] of slowOnes) if (!isSlow(pattern)) slowOnes.delete(text);
  const slow = PATTERNS.filter(({ pattern }) => slowOnes.has(String(pattern))).map(({ name }) => name);
  expect([...new Set(slow)].sort()).toEqual(Object.keys(BOUNDED).sort());
  expect(checksum).not.toBe(1);
});
