/** A reason: one sentence of a verdict, with the reasons that it rests on. Rendered by comment, check and log alike. */
import { cut } from "../../text/text.ts";

export interface Reason {
  readonly verdict: "pass" | "fail" | "wait";
  /** One sentence, without the full stop. */
  readonly text: string;
  readonly url: string | null;
  readonly because: readonly Reason[];
}

export const reason = (
  verdict: Reason["verdict"],
  text: string,
  because: readonly Reason[] = [],
  url: string | null = null,
): Reason => ({ verdict, text, url, because });

const MAX_LINE = 300;
const MAX_LINES = 12;

/** In plain lines, for a history or a failure: the sentence, and what it rests on below it. */
export function linesOf(said: Reason): string {
  const below = said.because.map(({ text }) => cut(`- ${text}`, MAX_LINE));
  return [said.text, ...below.slice(0, MAX_LINES)].join("\n");
}
