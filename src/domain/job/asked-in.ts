/** Puts together and takes apart the task of a comment: its own words, and the issue that it was written on. */

const quotation = (issue: number): string => `\n\n---\nAsked for in #${issue}: `;

export const withIssue = (comment: string, issue: number, quoted: string): string =>
  `${comment}${quotation(issue)}${quoted}`;

/** `comment` null: the issue alone is the task. */
export function askedIn(
  task: string,
  issue: number | null,
): { readonly comment: string | null; readonly quoted: string } {
  const mark = issue === null ? "" : quotation(issue);
  const at = issue === null ? -1 : task.indexOf(mark);
  return at < 0
    ? { comment: null, quoted: task }
    : { comment: task.slice(0, at), quoted: task.slice(at + mark.length) };
}
