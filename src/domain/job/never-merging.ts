/**
 * What never merges by itself, whatever the settings say: files that hand out rights, instruct later jobs, run by
 * themselves in CI or on the machine of whoever opens the repository, or change what a checkout holds. A job that was
 * talked into one of them would rule those after it. Pure.
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
  // a branch's CI runs them with its secrets, and a person's machine with that person's rights
  {
    globs: [
      "**/.{gitlab-ci,travis,drone,cirrus,woodpecker,appveyor,gitpod}.{yml,yaml}",
      "**/{azure-pipelines,bitbucket-pipelines,appveyor,cloudbuild,buildspec,codefresh}.{yml,yaml}",
      "**/.{buildkite,circleci,forgejo,gitea,gitlab,semaphore,teamcity,tekton,woodpecker}",
      "**/jenkinsfile",
      "**/*.jenkinsfile",
      "**/.{cirrus.star,drone.star,drone.jsonnet,build.yml,builds}",
    ],
    what: "files that other CI runs",
  },
  {
    globs: [
      "**/.{husky,githooks,pre-commit-config.yaml,pre-commit-config.yml,overcommit.yml}",
      "**/{lefthook,lefthook-local,.lefthook,.lefthook-local}.{yml,yaml,toml,json}",
      "**/.{huskyrc,huskyrc.*,lefthook,lintstagedrc,lintstagedrc.*,simple-git-hooks.*}",
      "**/{lint-staged.config,simple-git-hooks}.{js,cjs,mjs,ts,json}",
    ],
    what: "git hooks",
  },
  {
    globs: [
      "**/.{devcontainer,devcontainer.json,fleet,idea,run,vscode,zed}",
      "**/.{dir-locals.el,envrc,exrc,mise.toml,npmrc,nvim.lua,nvimrc,pnpmfile.cjs,vimrc,yarnrc,yarnrc.yml}",
      "**/.yarn/{releases,plugins}",
      "**/{mise.toml,mise.local.toml,.mise.local.toml,.mise,.config/mise,.config/mise.toml}",
    ],
    what: "settings of editors, shells and package managers that run commands",
  },
  { globs: ["**/.gitattributes"], what: ".gitattributes files" },
  { globs: ["**/.gitmodules"], what: ".gitmodules files" },
  // NTFS opens any of the files above by the short name that it gave it
  {
    globs: [
      "**/{github,codeow,agents,claude,gemini,cursor,gitatt,gitmod}~[0-9]*",
      "**/{codex,cliner,junie,mcp,roo,roorul,windsu,aider,aiderc}~[0-9]*",
      "**/{fleet,idea,run,yarn,zed}~[0-9]*",
      "**/{gitlab,travis,drone,cirrus,woodpe,appvey,gitpod,azure-,bitbuc,cloudb,builds,codefr}~[0-9]*",
      "**/{buildk,circle,forgej,gitea,semaph,teamci,tekton,jenkin,husky,githoo,pre-co,overco}~[0-9]*",
      "**/{leftho,lintst,simple,devcon,vscode,dir-lo,envrc,exrc,mise,npmrc,nvim,nvimrc,pnpmfi,vimrc,yarnrc}~[0-9]*",
    ],
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
