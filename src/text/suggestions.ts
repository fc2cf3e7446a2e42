/**
 * Finds the suggestions in a review comment as github.com does: fenced blocks named `suggestion` that a reader sees. The
 * text must be normalised. Written by hand because it must be linear.
 */
const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*(.*)$/;

/** Whether a hidden part of the text is open after this line. */
function hidesAfter(line: string, hidden: boolean): boolean {
  const [opens, closes] = [line.lastIndexOf("<!--"), line.lastIndexOf("-->")];
  return opens < 0 && closes < 0 ? hidden : opens > closes;
}

/** The replacement texts, at most `max`; without a line end, since each stands for whole lines. */
export function suggestionsIn(text: string, max: number): string[] {
  const found: string[] = [];
  let open: { readonly fence: string; readonly lines: string[] | null } | null = null;
  let hidden = false;
  for (const line of text.split("\n")) {
    const [, fence = "", name = ""] = FENCE.exec(line) ?? [];
    if (open !== null) {
      const closes = fence[0] === open.fence[0] && fence.length >= open.fence.length && name.trim() === "";
      if (!closes) open.lines?.push(line);
      else if (open.lines !== null && found.push(open.lines.join("\n")) >= max) return found;
      if (closes) open = null;
      continue;
    }
    if (fence !== "" && !hidden) open = { fence, lines: /^suggestion\b/i.test(name) ? [] : null };
    else hidden = hidesAfter(line, hidden);
  }
  // GitHub shows a block that nothing closes, up to the end
  return open !== null && open.lines !== null ? [...found, open.lines.join("\n")] : found;
}

/** The last `count` lines of a diff as the new file has them; null: the diff shows fewer. */
export function linesBefore(hunk: string, count: number): string | null {
  const shown = hunk.split("\n").filter((line) => line.startsWith("+") || line.startsWith(" "));
  return count <= 0 || shown.length < count
    ? null
    : shown
        .slice(-count)
        .map((line) => line.slice(1))
        .join("\n");
}
