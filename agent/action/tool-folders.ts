/**
 * Finds the tools that earlier steps of the workflow have set up: folders of the runner's tool cache that PATH or a
 * variable such as JAVA_HOME names. They are mounted read-only at the same paths. Everything else that a step may have
 * put there (the home folder, the workspace, secrets) is not passed on.
 */
import { readlinkSync, realpathSync, statSync } from "node:fs";
import { join, normalize } from "node:path";

export interface Mount {
  readonly source: string;
  readonly target: string;
}

export interface ToolFolders {
  /** For people, such as `go 1.22.12`. */
  readonly names: readonly string[];
  readonly mounts: readonly Mount[];
  readonly path: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What set-up actions call the home of their tool. Only the name of a folder is taken from these. */
const HOME_VARIABLE =
  /^(?:[A-Z][A-Z0-9_]{0,60}_(?:HOME|ROOT)|JAVA_HOME_\d{1,3}_[A-Z0-9]{1,9}|GOROOT|pythonLocation|Python[23]?_ROOT_DIR)$/;
/** Needs no quoting in any of the places that a path goes to. */
const PLAIN_PATH = /^\/[A-Za-z0-9._+@~/-]{1,400}$/;
/** `{tool}/{version}/{architecture}`, as every action lays out a tool in the cache. */
const TOOL_DEPTH = 3;
const MAX_TOOLS = 32;
/** Where entries of the cache of GitHub's own runners lead to. */
const ELSEWHERE = ["/usr/lib/jvm"];
/** Their Java keeps its certificates here, outside of its folder. */
const JAVA_CERTIFICATES = "lib/security/cacerts";
const CERTIFICATES = /^\/etc\/ssl\/certs\/[a-z]+\/cacerts$/;

/** The variables that {@link findToolFolders} looks at. */
export const toolVariables = (env: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value && (HOME_VARIABLE.test(name) || OTHER_VARIABLES.includes(name)) ? [[name, value]] : [],
    ),
  );
const OTHER_VARIABLES = ["PATH", "RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY"];

interface Cache {
  readonly named: string;
  readonly real: string;
}

interface Tool {
  /** As the cache names it. */
  readonly folder: string;
  readonly source: string;
  /** The path asked for, which is the folder or below it. */
  readonly path: string;
  readonly name: string;
}

/** The part of a path below a folder, without a slash at its start; null when it is not below it. */
const below = (folder: string, path: string): string | null =>
  path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : null;

const isInside = (folder: string, path: string): boolean => path === folder || below(folder, path) !== null;

function realFolder(path: string): string | null {
  try {
    const real = realpathSync(path);
    return PLAIN_PATH.test(real) && statSync(real).isDirectory() ? real : null;
  } catch {
    return null;
  }
}

const plain = (path: string): string | null =>
  PLAIN_PATH.test(path) ? normalize(path).replace(/(?<=[^/])\/$/, "") : null;

/** `closed`: folders that no container may see, nor any folder above them. */
export class ToolCaches {
  readonly #caches: readonly Cache[];
  readonly #closed: readonly string[];

  constructor(env: Environment, home: string, closed: readonly string[]) {
    this.#closed = closed.map((path) => realFolder(path) ?? path);
    const above = [...this.#closed, realFolder(home) ?? home];
    this.#caches = [env.RUNNER_TOOL_CACHE, env.AGENT_TOOLSDIRECTORY].flatMap((path) => {
      const named = plain(path ?? "");
      const real = named === null ? null : realFolder(named);
      return named === null || real === null || above.some((one) => isInside(real, one)) ? [] : [{ named, real }];
    });
  }

  /** The tool that a path belongs to; null when that is not passed on. */
  find(path: string): Tool | null {
    const named = plain(path);
    const real = named === null ? null : realFolder(named);
    if (named === null || real === null) return null;
    for (const cache of this.#caches) {
      const tool = this.#toolAt(cache.named, named) ?? this.#toolAt(cache.real, real);
      if (tool !== null && isInside(tool.source, real)) return tool;
    }
    return null;
  }

  #toolAt(cache: string, path: string): Tool | null {
    const parts = below(cache, path)?.split("/") ?? [];
    if (parts.length < TOOL_DEPTH) return null;
    const folder = join(cache, ...parts.slice(0, TOOL_DEPTH));
    const source = realFolder(folder);
    if (source === null || !this.#mayBeMounted(source)) return null;
    return { folder, source, path, name: parts.slice(0, 2).join(" ") };
  }

  #mayBeMounted(source: string): boolean {
    const isTool =
      this.#caches.some(({ real }) => (below(real, source)?.split("/").length ?? 0) >= TOOL_DEPTH) ||
      ELSEWHERE.some((folder) => below(folder, source) !== null);
    return isTool && !this.#closed.some((path) => isInside(path, source) || isInside(source, path));
  }
}

/** Certificates that a tool reads outside of its folder. */
function certificatesOf({ source }: Tool): Mount[] {
  try {
    const target = readlinkSync(join(source, JAVA_CERTIFICATES));
    if (!CERTIFICATES.test(target)) return [];
    const real = realpathSync(target);
    return PLAIN_PATH.test(real) && statSync(real).isFile() ? [{ source: real, target }] : [];
  } catch {
    return [];
  }
}

const mountsOf = (tool: Tool): Mount[] => [
  ...[tool.folder, tool.source].map((target) => ({ source: tool.source, target })),
  ...certificatesOf(tool),
];

/** `env`: what {@link toolVariables} has picked. */
export function findToolFolders(
  env: Environment,
  { home, closed }: { readonly home: string; readonly closed: readonly string[] },
): ToolFolders {
  const caches = new ToolCaches(env, home, closed);
  const tools = new Map<string, Tool>();
  /** The path inside of the container; null when it is not there. */
  const take = (path: string): string | null => {
    const tool = caches.find(path);
    if (tool === null || (tools.size >= MAX_TOOLS && !tools.has(tool.folder))) return null;
    tools.set(tool.folder, tool);
    return tool.path;
  };
  const path = (env.PATH ?? "").split(":").flatMap((entry) => take(entry) ?? []);
  const variables = Object.entries(env).flatMap(([name, value]) => {
    const folder = HOME_VARIABLE.test(name) ? take(value ?? "") : null;
    return folder === null ? [] : [[name, folder] as const];
  });
  const mounts = [...tools.values()].flatMap(mountsOf);
  return {
    names: [...new Set([...tools.values()].map(({ name }) => name))],
    mounts: [...new Map(mounts.map((mount) => [mount.target, mount])).values()],
    path: [...new Set(path)],
    variables: Object.fromEntries(variables),
  };
}
