/** Where the agent runs, and with which tools: in its own image with those of earlier steps, or in the repository's. */
import { CACHE_HOME } from "../../src/contracts/cache.ts";
import { TOOLCHAIN_VARIABLE, type Toolchain, toolchainSchema } from "../../src/contracts/toolchain.ts";
import { parseForeignJson } from "../../src/text/json-bounds.ts";
import { cLibrary } from "../c-library.ts";
import type { ActionBrief } from "./brief.ts";
import { cacheFlags } from "./cache.ts";
import type { Names } from "./container-names.ts";
import { type OwnImage, PROGRAM_FOLDER } from "./own-image.ts";
import type { ActionSettings } from "./settings.ts";
import { findToolFolders } from "./tool-folders.ts";

export interface AgentPlace {
  readonly image: string;
  readonly entrypoint?: string;
  readonly args?: readonly string[];
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const toolchain = (given: Partial<Toolchain>): Record<string, string> => ({
  [TOOLCHAIN_VARIABLE]: JSON.stringify(toolchainSchema.parse(given)),
});

/** The agent's own image, with the tools that earlier steps have set up. */
export function inAgentImage({ image, tools, programs, workspace, folder }: ActionSettings): AgentPlace {
  // What is beside our folder is the runner's temporary folder.
  const closed = [workspace, folder.slice(0, folder.lastIndexOf("/"))];
  const found = findToolFolders(tools, { home: programs.HOME ?? "/root", closed });
  if (found.mounts.length === 0) return { image, flags: [], env: {} };
  const { names, mounts, path, variables } = found;
  return {
    image,
    flags: mounts.flatMap(({ source, target }) => ["--mount", `type=bind,source=${source},target=${target},readonly`]),
    env: toolchain({ tools: [...names], c_library: cLibrary(), path_before: [...path], variables }),
  };
}

/** Readable for this group alone, since an old copy of run-job.yml must not let the shell read the agent's program. */
const PROGRAM_GROUP = "10003";
const LOADER = [`${PROGRAM_FOLDER}/lib/ld.so`, "--library-path", `${PROGRAM_FOLDER}/lib`] as const;

/**
 * The repository's image, with the agent's program mounted read-only: its own Node on its own C library, whatever the
 * image has. What the image's variables say is meant for the shell, and would change our program.
 */
export function inOwnImage({ name, variables }: OwnImage, { program }: Names): AgentPlace {
  const [entrypoint, ...loading] = LOADER;
  const init = [`${PROGRAM_FOLDER}/init`, "-s", "--"];
  const agent = [`${PROGRAM_FOLDER}/node`, "--disable-sigusr1", `${PROGRAM_FOLDER}/dist/agent/main.js`];
  return {
    image: name,
    entrypoint,
    args: [...loading, ...init, ...LOADER, ...agent],
    flags: [
      ...["--no-healthcheck", "--group-add", PROGRAM_GROUP, "-v", `${program}:${PROGRAM_FOLDER}:ro`],
      ...Object.keys(variables).flatMap((variable) => (variable === "PATH" ? [] : ["-e", `${variable}=`])),
    ],
    env: { WORKSPACE: "/workspace", ...toolchain({ variables, path_after: [`${PROGRAM_FOLDER}/bin`] }) },
  };
}

/** The place with a copy of the repository's cache as the shell's home. */
export function withCache(place: AgentPlace, names: Names, { cache }: Pick<ActionBrief, "cache">): AgentPlace {
  const tools = toolchainSchema.parse(parseForeignJson(place.env[TOOLCHAIN_VARIABLE] ?? "{}"));
  return {
    ...place,
    flags: [...place.flags, ...cacheFlags(names)],
    env: { ...place.env, ...toolchain({ ...tools, home: CACHE_HOME, cached: cache?.paths ?? [] }) },
  };
}
