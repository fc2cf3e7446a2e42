/**
 * Forbids regular expressions in src and agent whose time grows faster than the length of the text. Each is measured
 * against a plain pass over the same repeated text, as a ratio, so that a slow machine changes nothing. Patterns that read
 * only short texts are listed with the reason. Run by `npm run lint`; prints every finding and exits with 1 when there is one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseAst } from "vite";

const ROOT = join(import.meta.dirname, "..");

/** A length at which linear and quadratic time differ clearly. */
const SIZE = 12_000;
/** The plain passes that a pattern may take; quadratic time would be thousands of them. */
const MOST_PASSES = 700;

const OF_THE_OPERATOR = "an address in the settings, by the operator";

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

/** All regular expressions of a syntax tree. */
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

/** The shortest of several runs, since other processes interrupt; stops once it is short enough. */
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

// many files have the same pattern
const distinct = new Map(PATTERNS.map(({ pattern }) => [String(pattern), pattern]));
const slow = new Set([...distinct].filter(([, pattern]) => isSlow(pattern)).map(([text]) => text));
const found = new Set(PATTERNS.filter(({ pattern }) => slow.has(String(pattern))).map(({ name }) => name));
const findings = [
  ...[...found]
    .filter((name) => !Object.hasOwn(BOUNDED, name))
    .map((name) => `${name} takes more than linear time. Rewrite it, or bound its text and list it here.`),
  ...Object.keys(BOUNDED)
    .filter((name) => !found.has(name))
    .map((name) => `${name} is linear or gone. Remove it from the list.`),
];
for (const finding of findings) console.error(finding);
// printed, since an unused result could be optimised away
console.log(`${PATTERNS.length} regular expressions, ${distinct.size} distinct (${checksum})`);
if (PATTERNS.length === 0 || findings.length > 0) process.exitCode = 1;
