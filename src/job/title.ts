/** The title of a job: the first words of its task. */
const LONGEST_TITLE = 72;

export function titleOf(task: string): string {
  const line = (task.trim().split(/\r?\n/, 1)[0] ?? "").replace(/^#+\s*/, "").trim() || "Untitled job";
  return line.length <= LONGEST_TITLE ? line : `${line.slice(0, LONGEST_TITLE - 1).trimEnd()}…`;
}
