/**
 * Lists the files that never merge automatically, whatever the settings say: files that grant rights, instruct later
 * jobs, run in CI or on a developer's machine, or change what a checkout contains. Otherwise one manipulated job could
 * control all later ones. Pure.
 */
import { expandGlob, GlobSet } from "../../text/glob.ts";
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
      "**/.{asf.yaml,bitbucket,bulldozer.yml,dependabot,kodiak.toml,mergify,mergify.yml,policy.yml}",
      "**/.{coderabbit.yaml,coderabbit.yml,pr_agent.toml,renovaterc,renovaterc.json,renovaterc.json5}",
      "**/{bors.toml,greptile.json,renovate.json,renovate.json5}",
    ],
    what: "settings of programs that approve, merge or update",
  },
  {
    globs: [
      "**/{agent,agents,agents.override,claude,claude.local,crush,gemini,qwen,replit,warp}.md",
      "**/.{air,cline,continue,cursor,goose,kilocode,roo,void,windsurf}rules",
      "**/.{augment-guidelines,goosehints,kilocodemodes,openhands_instructions,roomodes,rules}",
      "**/.{agent,agents,amazonq,augment,claude,cline,codex,continue,crush,cursor,devin,factory,gemini,goose,junie}",
      "**/.{kilocode,kiro,openhands,opencode,qoder,qwen,roo,tabnine,trae,windsurf}",
      "**/.{aider.conf.yml,aider.model.settings.yml,crush.json,mcp,mcp.json}",
      "**/{crush.json,opencode.json,opencode.jsonc}",
    ],
    what: "instructions for agents",
  },
  // a branch's CI runs them with its secrets, and a person's machine with that person's rights
  {
    globs: [
      "**/.{gitlab-ci,travis,drone,cirrus,woodpecker,appveyor,gitpod}.{yml,yaml}",
      "**/.{onedev-buildspec,packit,prow,readthedocs,scrutinizer,shippable,vela,zuul}.{yml,yaml}",
      "**/{azure-pipelines,bitbucket-pipelines,appveyor,cloudbuild,buildspec,codefresh}.{yml,yaml}",
      "**/{amplify,appspec,bitrise,codemagic,codeship-services,codeship-steps,heroku,render}.{yml,yaml}",
      "**/{screwdriver,wercker,zuul}.{yml,yaml}",
      "**/.{buildkite,circleci,forgejo,gitea,gitlab,semaphore,teamcity,tekton,woodpecker}",
      "**/.{azure-pipelines,azuredevops,copr,ebextensions,harness,platform,space.kts,zuul.d}",
      "**/{jenkinsfile,netlify.toml,nixpacks.toml,railway.json,railway.toml,vercel.json,zuul.d}",
      "**/*.jenkinsfile",
      "**/{dangerfile,dangerfile.*}",
      "**/.{cirrus.star,drone.star,drone.jsonnet,build.yml,builds}",
    ],
    what: "files that other CI runs",
  },
  {
    globs: [
      "**/.{git-hooks,githooks,hooks,husky,overcommit.yml}",
      "**/.{pre-commit-config,pre-commit-hooks}.{yml,yaml}",
      "**/{lefthook,lefthook-local,.lefthook,.lefthook-local}.{yml,yaml,toml,json}",
      "**/.{huskyrc,huskyrc.*,lefthook,lintstagedrc,lintstagedrc.*,simple-git-hooks.*}",
      "**/{lint-staged.config,simple-git-hooks}.{js,cjs,mjs,ts,json}",
      "**/{captainhook.json,grumphp.yml,grumphp.yml.dist,hk.pkl,prek.toml}",
    ],
    what: "git hooks",
  },
  {
    globs: [
      "**/.{codesandbox,devcontainer,devcontainer.json,fleet,helix,idea,idx,nova,replit,run,stackblitzrc}",
      "**/.{theia,vs,vscode,zed,externaltoolbuilders,project}",
      "**/*.{code-workspace,ipr,iws,sublime-project,sublime-workspace}",
      "**/.{dir-locals.el,dir-locals-2.el,exrc,lazy.lua,local.vimrc,lvimrc,nvim,nvim.lua,nvimrc,vim,vimrc}",
      "**/{devbox.json,devfile.yaml,devfile.yml,.devfile.yaml,.devfile.yml,replit.nix}",
    ],
    what: "settings of editors that run commands",
  },
  {
    globs: [
      "**/.{autoenv,autoenv.zsh,envrc,flox,rtx.toml,tool-versions}",
      "**/{mise,.mise,.config/mise}.{toml,*.toml}",
      "**/{.mise,.mise-tasks,.miserc.toml,mise-tasks,mise/config.toml,mise/tasks,.config/mise}",
      "**/.{byebugrc,erlang,gdbearlyinit,gdbinit,ghci,iex.exs,irbrc,lldbinit,ocamlinit,octaverc}",
      "**/.{pdbrc,pdbrc.py,proverc,pryrc,renviron,rprofile}",
      "**/{pyvenv.cfg,sitecustomize.py,usercustomize.py}",
    ],
    what: "files that shells, debuggers and interpreters run when they start",
  },
  {
    globs: [
      "**/.{npmrc,pnpmfile.cjs,pnpmfile.js,pnpmfile.mjs,pnp.cjs,pnp.js,pnp.loader.mjs,yarnrc,yarnrc.yml}",
      "**/.yarn/{plugins,releases,sdks}",
      "**/{bunfig.toml,.bunfig.toml,node_modules,pnpm-workspace.yaml}",
      "**/{.cargo,rust-toolchain,rust-toolchain.toml}",
      "**/{.bundle,.pixi,pdm.toml,poetry.toml,uv.toml}",
      "**/{.jvmopts,.mill-jvm-opts,.mill-opts,.mvn,.sbtopts,.sbtrc,gradle/wrapper}",
      "**/{directory.build,directory.solution}.{props,targets}",
      "**/{directory.build.rsp,global.json,msbuild.rsp,nuget.config}",
      "**/.{bazeliskrc,bazelrc,bazelversion,buckconfig,buckconfig.d,buckconfig.local,plzconfig}",
      "**/{pants.toml,.pants.bootstrap,.pants.rc,tools/bazel,tools/bazel.bat,tools/bazel.ps1}",
      "**/{.chef,.terraform,ansible.cfg}",
    ],
    what: "settings of package managers and build tools that run commands or say where packages come from",
  },
  { globs: ["**/.gitattributes"], what: ".gitattributes files" },
  { globs: ["**/.gitmodules"], what: ".gitmodules files" },
  { globs: ["**/.{bzr,gitconfig,hg,jj,lfsconfig,svn}"], what: "settings of version control" },
];

/** NTFS opens any of these files by the short name that it gave it. */
export const SHORT_NAMES = "short names of such files";

const ANYWHERE = "**/";
const EXPANDED = NEVER_MERGING.flatMap(({ globs, what }) =>
  globs.flatMap(expandGlob).map((glob) => ({ glob, name: glob.slice(ANYWHERE.length), what })),
);
const isName = ({ glob, name }: { readonly glob: string; readonly name: string }): boolean =>
  glob.startsWith(ANYWHERE) && !/[*/]/.test(name);

/** What a file or folder of this name is, wherever it lies: most of the list, which is why it is not compared by glob. */
const NAMED: ReadonlyMap<string, string> = new Map(EXPANDED.filter(isName).map(({ name, what }) => [name, what]));
const MATCHED = NEVER_MERGING.map(({ what }) => {
  const globs = EXPANDED.filter((one) => one.what === what && !isName(one)).map(({ glob }) => glob);
  return { what, set: new GlobSet(globs, { below: true }) };
});

/** A name that MS-DOS could have, which has no other. */
const NEEDS_NO_SHORT = /^[^.*]{1,8}(?:\.[^.*]{1,3})?$/;

/** What the short name of a file begins with; empty: it has none that the glob tells. */
function shortOf(name: string): string {
  if (NEEDS_NO_SHORT.test(name)) return "";
  const shown = name.replace(/^\.+/, "");
  const end = shown.lastIndexOf(".");
  return (end < 0 ? shown : shown.slice(0, end)).replace(/[.*]/g, "").slice(0, 6);
}
const SHORT: ReadonlySet<string> = new Set(
  EXPANDED.flatMap(({ glob }) => glob.split("/").map(shortOf)).filter(Boolean),
);
const SHORT_NAME = /^([^~]{1,6})~\d/;

function kindOf(path: string): string | null {
  const names = path.split("/");
  const named = names.map((name) => NAMED.get(name)).find((what) => what !== undefined);
  if (named !== undefined) return named;
  const matched = MATCHED.find(({ set }) => set.matches(path));
  if (matched !== undefined) return matched.what;
  return names.some((name) => SHORT.has(SHORT_NAME.exec(name)?.[1] ?? "")) ? SHORT_NAMES : null;
}

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
    const what = kindOf(asRead(path));
    if (what !== null) return `it changes ${path}, and ${what} never merge by themselves`;
  }
  return null;
}
