/** What a tool gives back to the model, and the cut that keeps it short. */

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
  const left = text.length - 2 * half;
  return `${text.slice(0, half)}\n[… ${left} characters left out${rest} …]\n${text.slice(-half)}`;
}
