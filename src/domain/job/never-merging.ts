/**
 * What never merges by itself, whatever the settings say: files that hand out rights, instruct later jobs, or change what
 * a checkout holds. A job that was talked into one of them would rule those after it. Pure.
 */
import { GlobSet } from "../../text/glob.ts";
import { normalise } from "../../text/normalise.ts";

interface NeverMerging {
  /** In lower case. One that names a folder means the name itself as well, since a link may stand there. */
  readonly globs: readonly string[];
  /** What they are, in the plural. */
  readonly what: string;
}

export const NEVER_MERGING: readonly NeverMerging[] = [
  // who can edit a workflow can read every secret (github-facts 3.3)
  { globs: [".github"], what: "files below .github" },
  { globs: ["codeowners", "docs/codeowners", ".github/codeowners"], what: "CODEOWNERS files" },
  {
    globs: [
      "**/{agent,agents,agents.override,claude,claude.local,gemini}.md",
      "**/.{cline,cursor,roo,windsurf}rules",
      "**/.{agents,claude,codex,cursor,gemini,junie,roo,windsurf}",
      "**/.{mcp.json,aider.conf.yml}",
    ],
    what: "instructions for agents",
  },
  { globs: ["**/.gitattributes"], what: ".gitattributes files" },
  { globs: ["**/.gitmodules"], what: ".gitmodules files" },
  // NTFS opens any of the files above by the short name that it gave it
  {
    globs: ["**/{github,codeow,agents,claude,gemini,cursor,gitatt,gitmod}~[0-9]*"],
    what: "short names of such files",
  },
];

const KINDS = NEVER_MERGING.map(({ globs, what }) => ({ what, set: new GlobSet(globs, { below: true }) }));

/** Without what NTFS drops: a stream's name behind a colon, and dots and blanks at the end. By hand, to be linear. */
function kept(name: string): string {
  const colon = name.indexOf(":");
  let end = colon < 0 ? name.length : colon;
  while (end > 0 && ". ".includes(name.charAt(end - 1))) end -= 1;
  return name.slice(0, end);
}

/**
 * Some file systems know no case, skip what nobody sees or drop an end, and a checkout there writes the guarded file. Upper
 * case first: letters such as the long s have no lower case of their own and are still taken for one.
 */
const asRead = (path: string): string => normalise(path).toUpperCase().toLowerCase().split(/[/\\]/).map(kept).join("/");

/** The first of these files that never merges by itself, as the end of a sentence; null: there is none. */
export function neverMerges(paths: readonly string[]): string | null {
  for (const path of paths) {
    const kind = KINDS.find(({ set }) => set.matches(asRead(path)));
    if (kind !== undefined) return `it changes ${path}, and ${kind.what} never merge by themselves`;
  }
  return null;
}
