/**
 * What never merges by itself, whatever the settings say: files that hand out rights, instruct later jobs, or change what
 * a checkout holds. A job that was talked into one of them would rule those after it. Pure.
 */
import { GlobSet } from "../wire/glob.ts";
import { normalise } from "../wire/normalise.ts";

interface NeverMerging {
  /** In lower case. */
  readonly globs: readonly string[];
  /** What they are, in the plural. */
  readonly what: string;
}

export const NEVER_MERGING: readonly NeverMerging[] = [
  // who can edit a workflow can read every secret (github-facts 3.3)
  { globs: [".github/**"], what: "files below .github" },
  { globs: ["codeowners", "docs/codeowners", ".github/codeowners"], what: "CODEOWNERS files" },
  {
    globs: [
      "**/agents.md",
      "**/agents.override.md",
      "**/claude.md",
      "**/claude.local.md",
      "**/gemini.md",
      "**/.cursorrules",
      "**/.{claude,cursor}/**",
    ],
    what: "instructions for agents",
  },
  { globs: ["**/.gitattributes"], what: ".gitattributes files" },
  { globs: ["**/.gitmodules"], what: ".gitmodules files" },
];

const KINDS = NEVER_MERGING.map(({ globs, what }) => ({ what, set: new GlobSet(globs, { below: true }) }));

/** Some file systems know no case and skip what nobody sees, and a checkout there writes the guarded file. */
const asRead = (path: string): string => normalise(path).toLowerCase();

/** The first of these files that never merges by itself, as the end of a sentence; null: there is none. */
export function neverMerges(paths: readonly string[]): string | null {
  for (const path of paths) {
    const kind = KINDS.find(({ set }) => set.matches(asRead(path)));
    if (kind !== undefined) return `it changes ${path}, and ${kind.what} never merge by themselves`;
  }
  return null;
}
