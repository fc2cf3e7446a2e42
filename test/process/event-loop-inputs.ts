/** The worst foreign input known: texts, JSON, YAML, globs, and whole requests filled with it. */
import fc from "fast-check";

/** Each was once read in more than linear time, or makes the most of what is read. */
export const PIECES: readonly string[] = [
  ...["=\n", " ", "\n", "](<", "![", "<a ", "<!--", "<!-", "&#38;", "&#", "@x", "`", "```\n", "~", "> - ", "- ", "? "],
  ...[
    "👩‍",
    "\u0301",
    "\u200b",
    "\\",
    '"',
    "eyJaaaaaaaa.",
    "-ghp_",
    "-----BEGIN AAA ",
    "[skip ",
    "fixes ",
    "co-authored-by\n",
  ],
  ...["/job ", "/job\n", "?", ".", "\u2028", "a-.", "*a", "{a,", "[", "https://a.b/@x ", "AAAA", "a"],
];

export const piece = fc.constantFrom(...PIECES);

/** The piece so often that it fills so many bytes of JSON. */
export const filling = (bytes: number, text: string): string =>
  text.repeat(Math.max(1, Math.floor(bytes / (Buffer.byteLength(JSON.stringify(text)) - 2))));

type Path = readonly string[];

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** The places in a value where something stands: all texts, numbers and lists. */
export const placesIn = (value: unknown, at: Path = []): readonly Path[] => [
  ...(Array.isArray(value) || !isObject(value) ? [at] : []),
  ...(isObject(value) ? Object.entries(value).flatMap(([key, one]) => placesIn(one, [...at, key])) : []),
];

export function withAt(value: unknown, [key, ...rest]: Path, put: unknown): unknown {
  if (key === undefined) return put;
  if (Array.isArray(value)) return value.map((one, at) => (String(at) === key ? withAt(one, rest, put) : one));
  return isObject(value) ? { ...value, [key]: withAt(Reflect.get(value, key), rest, put) } : value;
}

/** What may stand at any place of a JSON body: much of one kind, at most as many values as are read. */
export const crowds = (values: number): readonly unknown[] => [
  Array(values).fill(1),
  Array(values).fill({}),
  Array(values).fill("x"),
  Object.fromEntries(Array.from({ length: values }, (_, at) => [`key ${at}`, at])),
  JSON.parse(`${'{"a":'.repeat(60)}1${"}".repeat(60)}`),
];

/** Fields by which GitHub says what an event is about: with anything else in them nobody would look at the rest. */
const KEPT = new Set(["action", "id", "ref", "head_branch", "type", "state", "status", "conclusion", "path", "login"]);

/** Stands where a text has grown. */
const GROWN = "grown here";

/** The payload as JSON, with all its free texts grown so that it has this size. */
export function stuffed(payload: unknown, bytes: number, text: string): string {
  const places: Path[] = [];
  for (const at of placesIn(payload)) {
    const value = at.reduce<unknown>((inner, key) => (isObject(inner) ? Reflect.get(inner, key) : null), payload);
    if (typeof value === "string" && !KEPT.has(at.at(-1) ?? "")) places.push(at);
  }
  const share = Math.floor((bytes * 0.9 - JSON.stringify(payload).length) / Math.max(1, places.length));
  // written once: that is most of the work
  const grown = JSON.stringify(filling(Math.max(1, share), text));
  const marked = JSON.stringify(places.reduce<unknown>((all, at) => withAt(all, at, GROWN), payload));
  return marked.replaceAll(JSON.stringify(GROWN), () => grown);
}

const hundred = <T>(entry: (at: number) => T): readonly T[] => Array.from({ length: 100 }, (_, at) => entry(at));

/** As much as a glob may stand for. */
const WIDE_GLOB = `${"{a,b}".repeat(4)}${"?".repeat(42)}`;

/** `config/TRIGGERS.json` with as many triggers as there may be; all but one have globs that stand for much and fit no label. */
export const SLOW_TRIGGERS = JSON.stringify(
  hundred((at) => ({
    ...{ name: `t${at}`, actions: [{ job: "x" }] },
    ...(at === 0 ? {} : { on: { issue_opened: { labels: Array(8).fill(WIDE_GLOB) } } }),
  })),
);

/** Settings files that a parser once took seconds for, or that a matcher does. */
export const WORST_SETTINGS: readonly string[] = [
  "- ".repeat(30_000),
  "? ".repeat(400),
  `a: ${"[".repeat(30_000)}`,
  `a: ${"{a: ".repeat(15_000)}`,
  `a: &a [x]\n${Array.from({ length: 25 }, (_, at) => `b${at}: [*a, *a]`).join("\n")}\n`,
  `forbidden_paths: [${Array.from({ length: 900 }, (_, at) => `"p${at}"`).join(", ")}]\n`,
  `${"k: 1\n".repeat(900)}`,
  `${Array.from({ length: 990 }, (_, at) => `key${at}: 1`).join("\n")}\n`,
  `forbidden_paths: ["${"{a,b}".repeat(20)}"]\n`,
  `#${" comment".repeat(8_000)}\n`,
  `a: "${"\\u0041".repeat(10_000)}"\n`,
  `forbidden_paths: [${Array(120)
    .fill(`"${"{a,b}".repeat(5)}${"?".repeat(470)}"`)
    .join(", ")}]\n`,
  `forbidden_paths: [${Array(300).fill(`"${WIDE_GLOB}"`).join(", ")}]\n`,
];

/** Good settings whose globs fit almost everything that a job's files are called, almost. */
export const SLOW_GLOBS = `auto_merge:
  enabled: true
  allowed_paths: [${Array.from({ length: 100 }, (_, at) => `"*a*a*a*a*a*a*a*a*a*a*a*b${at}"`).join(", ")}, "**"]
forbidden_paths: [${Array.from({ length: 100 }, (_, at) => `"**/*a*a*a*a*a*a*a*a*a*c${at}"`).join(", ")}]
`;
