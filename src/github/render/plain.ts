/**
 * Making foreign text fit to be shown: without mentions, markers or skip words, redacted, and of bounded length. Everything
 * the App writes to GitHub passes through here. Says nothing of its own. What cleans is in `harmless.ts`.
 */

import { redact } from "../../contracts/redact.ts";
import { withoutSkips } from "../../text/commit-words.ts";
import { normalise } from "../../text/normalise.ts";
import { cut, headBytes } from "../../text/text.ts";
import { partedComments, withoutClosing, withoutComments, withoutMentions } from "./escape-markdown.ts";

/** GitHub's limit is 65,536 characters, in the field also one of bytes (github-facts 8.1): both are kept. */
export const MAX_BODY = 60_000;
/** Of a foreign text, no more is looked at: nothing longer is ever shown. */
const MAX_FOREIGN = 2 * MAX_BODY;
const MAX_COMMIT_LINE = 100;
const MAX_TITLE = 200;

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
  const well = text.toWellFormed();
  const fence = closingFence(well);
  if (Buffer.byteLength(well) <= room && fence.length <= FENCE_ROOM) return well + fence + tail;
  const head = headBytes(well, room - Buffer.byteLength(CUT_NOTE));
  // a fence too long to be closed is opened by nobody in earnest
  const closing = closingFence(head);
  if (closing.length > FENCE_ROOM) return fenced(head.replaceAll(/`{8,}|~{8,}/g, "…")) + tail;
  return head + closing + CUT_NOTE + tail;
}

/** Bounded, and then normalised before all else: a hidden character would lead past what comes later. */
const visible = (text: string): string => normalise(headBytes(text, MAX_FOREIGN));

const onOneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** One line of plain text. */
export const oneLine = (text: string): string => onOneLine(redact(visible(text)));

/** For what becomes a commit message. */
const asCommit = (text: string): string => partedComments(withoutSkips(withoutComments(visible(text))));

/** What the head commits of briefs begin with: on a job's branch it starts the workflow that runs jobs. GitHub knows no case there. */
const BRIEF_PREFIX = /^(run|post) (?=job )/i;

/** A line for a commit message: nothing in it starts, stops, closes, mentions or hides anything. */
export const commitLine = (text: string): string => safeLine(text, MAX_COMMIT_LINE).replace(BRIEF_PREFIX, "$1-");

/** The same for a title, which GitHub makes a commit message of when it merges. */
export const titleLine = (text: string): string => safeLine(text, MAX_TITLE);

const safeLine = (text: string, max: number): string =>
  cut(withoutClosing(withoutMentions(onOneLine(redact(asCommit(text))))), max) || "no title";

/** A pull request's body becomes a commit message where the repository squashes with it. */
export const escapeMarkdownBody = (text: string): string => harmlessly(asCommit(text));

/** Foreign Markdown, shown as Markdown but harmless: no mention, no hidden text, no marker, no closing word. */
export const escapeMarkdown = (text: string): string => harmlessly(withoutComments(visible(text)));

/** A secret could have been put together by what was taken out, so it is looked for after that. */
const harmlessly = (text: string): string => withoutClosing(withoutMentions(redact(text))).trim();

/** Foreign words as a Markdown quotation, at most `max` characters of them. */
export const quoted = (text: string, max = 10_000): string =>
  cut(escapeMarkdown(text), max)
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");

const longestTicks = (text: string): number =>
  (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);

/** Foreign lines in a code fence that they cannot close. */
export function fenced(text: string, language = "text"): string {
  const lines = partedComments(redact(visible(text)));
  const fence = "`".repeat(Math.max(2, longestTicks(lines)) + 1);
  return `${fence}${language}\n${lines}\n${fence}`;
}

/** Foreign words inside a line of ours: as code, so that nothing in them is Markdown. */
export function code(text: string, max = 200): string {
  const words = partedComments(cut(oneLine(text), max));
  const ticks = "`".repeat(longestTicks(words) + 1);
  const pad = words.startsWith("`") || words.endsWith("`") ? " " : "";
  return `${ticks}${pad}${words}${pad}${ticks}`;
}
