/** Renders a verdict's tree of reasons as a Markdown list. Check names are foreign text. */
import type { Reason } from "../../domain/job/reason.ts";
import { cut } from "../../text/text.ts";
import { escapeMarkdown, oneLine } from "./plain.ts";

const MAX_DEPTH = 4;
const MAX_ROWS = 40;
const MAX_TEXT = 300;

const SIGN: Readonly<Record<Reason["verdict"], string>> = { pass: "✓", fail: "✗", wait: "…" };

const rowOf = ({ verdict, text, url }: Reason): string => {
  // Brackets would end the link that is made of it.
  const words = cut(escapeMarkdown(oneLine(text)), MAX_TEXT).replace(/[[\]]/g, "");
  return `${SIGN[verdict]} ${url !== null && /^https?:\/\/[^\s()<>]+$/.test(url) ? `[${words}](${url})` : words}`;
};

function rows(reasons: readonly Reason[], depth: number): string[] {
  if (depth >= MAX_DEPTH) return [];
  return reasons.flatMap((one) => [`${"  ".repeat(depth)}- ${rowOf(one)}`, ...rows(one.because, depth + 1)]);
}

/** Empty when there are no reasons. */
export function reasonList(reasons: readonly Reason[]): string {
  const all = rows(reasons, 0);
  return all.length <= MAX_ROWS ? all.join("\n") : [...all.slice(0, MAX_ROWS), "- …"].join("\n");
}
