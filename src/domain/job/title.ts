/** The title of a job: the first words of its task. */
import { cut } from "../../text/text.ts";

const LONGEST_TITLE = 72;

export function titleOf(task: string): string {
  const line = (task.trim().split(/\r?\n/, 1)[0] ?? "").replace(/^#+\s*/, "").trim() || "Untitled job";
  return cut(line, LONGEST_TITLE);
}
