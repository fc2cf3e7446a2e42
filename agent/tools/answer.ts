/** What a tool gives back to the model, and the cut that keeps it short. */

import { counted } from "../../src/text/plural.ts";
import { head, tail } from "../../src/text/text.ts";

/** Characters of one answer. A turn of a long run must not fill the model's window by itself. */
export const MAX_ANSWER = 16_000;

export interface Answer {
  readonly text: string;
  /** The model is told that the call did not do what it asked. */
  readonly failed: boolean;
}

export const answered = (text: string): Answer => ({ text: cutMiddle(text), failed: false });
export const refused = (text: string): Answer => ({ text: cutMiddle(text), failed: true });

/** Head and tail, since the end of an output says most; `rest` says where the whole can be read. */
export function cutMiddle(text: string, rest = ""): string {
  if (text.length <= MAX_ANSWER) return text;
  // Room for the note, so that what is cut once is not cut again.
  const half = MAX_ANSWER / 2 - 100;
  const [start, end] = [head(text, half), tail(text, half)];
  return `${start}\n[… ${counted(text.length - start.length - end.length, "character")} left out${rest} …]\n${end}`;
}
