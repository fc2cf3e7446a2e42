/** The result of a tool call, cut to a length that fits the model's window. */

import { counted } from "../../src/text/plural.ts";
import { head, tail } from "../../src/text/text.ts";

/** Characters per result; one turn of a long run must not fill the window. */
export const MAX_ANSWER = 16_000;

export interface ToolResult {
  readonly text: string;
  /** Tells the model that the call failed. */
  readonly failed: boolean;
}

export const answered = (text: string): ToolResult => ({ text: cutMiddle(text), failed: false });
export const refused = (text: string): ToolResult => ({ text: cutMiddle(text), failed: true });

/** Keeps head and tail, since the end of an output says most. `rest` says where the whole output is. */
export function cutMiddle(text: string, rest = ""): string {
  if (text.length <= MAX_ANSWER) return text;
  // Leaves room for the note, so that a cut text is not cut again.
  const half = MAX_ANSWER / 2 - 100;
  const [start, end] = [head(text, half), tail(text, half)];
  return `${start}\n[… ${counted(text.length - start.length - end.length, "character")} left out${rest} …]\n${end}`;
}
