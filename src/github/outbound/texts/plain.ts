/**
 * Making foreign text fit to be shown: redacted, without mentions, markers or skip words, and of bounded length.
 * Everything the App writes to GitHub passes through here. Says nothing of its own.
 */
import { redact } from "../../../wire/redact.ts";

/** GitHub's limit is 65,536 characters, in the field also one of bytes (github-facts 8.1): both are kept. */
export const MAX_BODY = 60_000;
const MAX_COMMIT_LINE = 100;
const MAX_TITLE = 200;

/** Words that stop workflows when they stand in a commit message (github-facts 2.7). */
const SKIP_WORDS = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|^\s*skip-checks\s*:.*$/gim;
/** Trailers that would name somebody as author who is not. */
const NAMING_TRAILERS = /^\s*(?:co-authored-by|signed-off-by|on-behalf-of)\s*:.*$/gim;
// control and zero-width characters, soft hyphen, bidi marks, Unicode tags: none of them is for people to read
const HIDDEN = /[\p{Cc}\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** Words cut at `max` code units, never inside a character, with a sign that they were cut. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, Math.max(0, max - 1));
  return `${/[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head}…`;
}

/** What closes a code fence that the text leaves open, and that would swallow what follows; empty when it leaves none. */
function closingFence(text: string): string {
  let open = "";
  for (const [, fence = ""] of text.matchAll(/^ {0,3}(`{3,}|~{3,})/gm)) {
    if (open === "") open = fence;
    else if (fence[0] === open[0] && fence.length >= open.length) open = "";
  }
  return open === "" ? "" : `\n${open}`;
}

const CUT_NOTE = "\n\n… (cut)";
/** Room for the fence that may have to be closed. */
const FENCE_ROOM = 64;

/** Cut at {@link MAX_BODY} characters and bytes, keeping `tail` (a footer, a marker) whole and outside of any fence. */
export function cutBody(text: string, tail = "", max = MAX_BODY): string {
  const room = max - Buffer.byteLength(tail) - FENCE_ROOM;
  if (Buffer.byteLength(text) <= room) return text + closingFence(text) + tail;
  let head = cut(text, room - CUT_NOTE.length);
  while (Buffer.byteLength(head) > room - Buffer.byteLength(CUT_NOTE)) head = cut(head, Math.floor(head.length * 0.9));
  return head + closingFence(head).slice(0, FENCE_ROOM) + CUT_NOTE + tail;
}

const withoutHidden = (text: string): string =>
  text.replace(/\r\n?/g, "\n").replace(HIDDEN, (one) => (one === "\n" || one === "\t" ? one : ""));

/** One line of plain text. */
export const oneLine = (text: string): string => withoutHidden(redact(text)).replace(/\s+/g, " ").trim();

/** A line for a commit message: nothing in it starts, stops, closes, mentions or hides anything. */
export const commitLine = (text: string): string => safeLine(text, MAX_COMMIT_LINE);

/** The same for a title, which GitHub makes a commit message of when it merges. */
export const titleLine = (text: string): string => safeLine(text, MAX_TITLE);

const safeLine = (text: string, max: number): string =>
  cut(withoutClosing(withoutMentions(oneLine(withoutComments(withoutSkips(text))))), max) || "no title";

/** A pull request's body becomes a commit message where the repository squashes with it. */
export const harmlessBody = (text: string): string => harmless(withoutSkips(text));

function withoutSkips(text: string): string {
  return text.replace(SKIP_WORDS, "").replace(NAMING_TRAILERS, "");
}

/** A zero-width space behind `@`: nobody is notified, and it reads the same. Also `#12`-like links stay as they are. */
const withoutMentions = (text: string): string => text.replace(/(^|[^\p{L}\p{N}_/])@(?=[\p{L}\p{N}])/gu, "$1@\u200b");

/** HTML comments hide text, and could carry a marker of ours. */
const withoutComments = (text: string): string => text.replace(/<!--[\s\S]*?(?:-->|$)/g, "").replace(/<!--|-->/g, "");

/** "Closes #4" in foreign words would close an issue that nobody asked to close. */
const withoutClosing = (text: string): string =>
  text.replace(
    /\b(clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing))(\s*:?\s+)(?=(?:[\w.-]+\/[\w.-]+)?#\d|https?:|GH-\d)/gi,
    "$1\u200b$2",
  );

/** Foreign Markdown, shown as Markdown but harmless: no mention, no hidden text, no marker, no closing word. */
export const harmless = (text: string): string =>
  withoutClosing(withoutMentions(withoutComments(withoutHidden(redact(text))))).trim();

/** Foreign words as a Markdown quotation, at most `max` characters of them. */
export const quoted = (text: string, max = 10_000): string =>
  cut(harmless(text), max)
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");

/** Foreign lines in a code fence that they cannot close. */
export function fenced(text: string, language = "text"): string {
  const clean = withoutHidden(redact(text)).replaceAll("<!--", "<! --");
  const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${clean}\n${fence}`;
}

/** Foreign words inside a line of ours: as code, so that nothing in them is Markdown. */
export function code(text: string, max = 200): string {
  const clean = cut(oneLine(text), max).replaceAll("<!--", "<! --");
  const longest = Math.max(0, ...(clean.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = "`".repeat(longest + 1);
  const pad = clean.startsWith("`") || clean.endsWith("`") ? " " : "";
  return `${ticks}${pad}${clean}${pad}${ticks}`;
}
