/**
 * Makes foreign text safe to show: no mentions, markers or skip words, redacted and bounded. Everything that the App
 * writes to GitHub passes through here; `escape-markdown.ts` has the individual steps.
 */

import { BRIEF_PREFIX } from "../../contracts/brief.ts";
import { redact } from "../../contracts/redact.ts";
import { withoutSkips } from "../../text/commit-words.ts";
import { normalise } from "../../text/normalise.ts";
import { cut, headBytes } from "../../text/text.ts";
import { breakComments, withoutClosing, withoutComments, withoutMentions } from "./escape-markdown.ts";

/** GitHub allows 65,536 characters, in practice also bytes (github-facts 8.1); this respects both. */
export const MAX_BODY = 60_000;
/** Longer foreign text is cut before processing, since no more is ever shown. */
const MAX_FOREIGN = 2 * MAX_BODY;
const MAX_COMMIT_LINE = 100;
const MAX_TITLE = 200;

/** The fence that closes an open code block, which would otherwise swallow what follows; empty when none is open. */
function closingFence(text: string): string {
  let open = "";
  for (const [, fence = ""] of text.matchAll(/^ {0,3}(`{3,}|~{3,})/gm)) {
    if (open === "") open = fence;
    else if (fence[0] === open[0] && fence.length >= open.length) open = "";
  }
  return open === "" ? "" : `\n${open}`;
}

const CUT_NOTE = "\n\n… (cut)";
/** Space for a closing fence. */
const FENCE_ROOM = 64;

/**
 * Cuts to {@link MAX_BODY} characters and bytes, and keeps `tail` (a footer, a marker) whole and outside of any code
 * block.
 */
export function cutBody(text: string, tail = "", max = MAX_BODY): string {
  const room = max - Buffer.byteLength(tail) - FENCE_ROOM;
  const well = text.toWellFormed();
  const fence = closingFence(well);
  if (Buffer.byteLength(well) <= room && fence.length <= FENCE_ROOM) return well + fence + tail;
  const head = headBytes(well, room - Buffer.byteLength(CUT_NOTE));
  // Nobody opens a fence that is too long to close by accident.
  const closing = closingFence(head);
  if (closing.length > FENCE_ROOM) return fenced(head.replaceAll(/`{8,}|~{8,}/g, "…")) + tail;
  return head + closing + CUT_NOTE + tail;
}

/** Bounded and normalised first: a hidden character would bypass the later steps. */
const visible = (text: string): string => normalise(headBytes(text, MAX_FOREIGN));

const onOneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** One line of plain text. */
export const oneLine = (text: string): string => onOneLine(redact(visible(text)));

/** For text that becomes a commit message. */
const asCommit = (text: string): string => breakComments(withoutSkips(withoutComments(visible(text))));

/** A line for a commit message: nothing in it starts, skips, closes, mentions or hides anything. */
export const commitLine = (text: string): string => safeLine(text, MAX_COMMIT_LINE).replace(BRIEF_PREFIX, "$1-");

/** The same for a title, which GitHub turns into a commit message when it merges. */
export const titleLine = (text: string): string => safeLine(text, MAX_TITLE);

const safeLine = (text: string, max: number): string =>
  cut(withoutClosing(withoutMentions(onOneLine(redact(asCommit(text))))), max) || "no title";

/** A pull request's body becomes the commit message of a squash merge. */
export const escapeMarkdownBody = (text: string): string => withoutEffects(asCommit(text));

/** Foreign text as safe Markdown: no mentions, hidden text, markers or closing keywords. */
export const escapeMarkdown = (text: string): string => withoutEffects(withoutComments(visible(text)));

/** Redacts again, since removals could have assembled a secret. */
const withoutEffects = (text: string): string => withoutClosing(withoutMentions(redact(text))).trim();

/** Foreign text as a Markdown quotation of at most `max` characters. */
export const quoted = (text: string, max = 10_000): string =>
  cut(escapeMarkdown(text), max)
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");

const longestTicks = (text: string): number =>
  (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);

/** Foreign lines in a code block that they cannot close. */
export function fenced(text: string, language = "text"): string {
  const lines = breakComments(redact(visible(text)));
  const fence = "`".repeat(Math.max(2, longestTicks(lines)) + 1);
  return `${fence}${language}\n${lines}\n${fence}`;
}

/** Foreign text inside a sentence: as code, so that its Markdown has no effect. */
export function code(text: string, max = 200): string {
  const words = breakComments(cut(oneLine(text), max));
  const ticks = "`".repeat(longestTicks(words) + 1);
  const pad = words.startsWith("`") || words.endsWith("`") ? " " : "";
  return `${ticks}${pad}${words}${pad}${ticks}`;
}
