/** Validates the paths of a worker's files and the names of attachments. Both are foreign input. */

export const LONGEST_PATH = 400;
/** Control characters, and what some file systems and tools read in ways of their own. */
const ODD = /[\p{Cc}\\:*?"<>|]/u;

/** Why this is no path for a file, in words that follow it; null: it is one. */
export function pathProblem(path: string): string | null {
  if (path === "" || path.length > LONGEST_PATH) return `must have 1 to ${LONGEST_PATH} characters.`;
  if (ODD.test(path)) return 'must have no control characters and none of \\ : * ? " < > |';
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".." || part.trim() !== part))
    return "must be relative, as in src/main.ts, without empty parts, . or ..";
  const [first = "", second = ""] = parts.map((part) => part.toLowerCase());
  if (parts.some((part) => part.toLowerCase() === ".git")) return "must not lie in a .git folder.";
  if (first === ".jobs") return "must not lie in .jobs, which is for jobs alone.";
  if (first === ".github" && second === "workflows")
    return "must not lie in .github/workflows; no job may change a workflow.";
  return null;
}

export const ATTACHMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._ ()-]{0,99}$/;

/** Why this is no name for an attachment; null: it is one. */
export function attachmentNameProblem(name: string): string | null {
  return ATTACHMENT_NAME.test(name)
    ? null
    : "must be a name of 1 to 100 letters, digits, spaces and . _ ( ) - that begins with a letter or digit.";
}
