/**
 * A run of the workflow on the default branch: fills the repository's cache (`cache` of its settings) and saves it, for
 * jobs to start with. The fill commands run in the image of jobs, as the agent's user, with the network and without any
 * key or token. There is no agent and nothing is pushed.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { CACHE_HOME, type Cache, cacheSchema, FILL_MINUTES } from "../../src/contracts/cache.ts";
import { type Container, containerSchema } from "../../src/contracts/container.ts";
import { TOOLCHAIN_VARIABLE, toolchainSchema } from "../../src/contracts/toolchain.ts";
import { parseForeignJson } from "../../src/text/json-bounds.ts";
import { yamlOutOfBounds } from "../../src/text/yaml-bounds.ts";
import { inAgentImage } from "./agent-place.ts";
import { cacheFlags, makeCacheVolume, sentence, writeArchive } from "./cache.ts";
import { cacheKeysOf } from "./cache-key.ts";
import { findCache, saveCache } from "./cache-service.ts";
import { checkOut, fetchJob } from "./checkout.ts";
import type { ContainerOptions } from "./docker.ts";
import { runImageCommands } from "./image-commands.ts";
import { prepareOwnImage } from "./own-image.ts";
import { AGENT_UID } from "./ownership.ts";
import { copySetUpFiles, removeSetUpFiles } from "./set-up-files.ts";
import type { ActionSettings } from "./settings.ts";
import type { StepContext } from "./step-context.ts";
import { emptyWorkspace } from "./workspace.ts";

const SETTINGS_FILE = ".github/journeyman.yml";
const SETTINGS_LIMIT = 100 * 1024;
/** Of the agent's image. */
const IMAGE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SETTING = "`cache` in .github/journeyman.yml";

export interface FillPorts extends StepContext {
  readonly settings: ActionSettings;
  readonly show: (text: string) => void;
}

/** How it ended, in sentences. */
export interface Filled {
  readonly ok: boolean;
  readonly words: string;
}

const settingsSchema = z.object({ cache: cacheSchema.optional(), container: containerSchema.optional() });
type Wanted = z.infer<typeof settingsSchema>;

/** A string says what is wrong. The App says more of mistakes in the file, on its commit. */
export function readCacheSettings(text: string): Wanted | string {
  const bound = text.length > SETTINGS_LIMIT ? "it is too large" : yamlOutOfBounds(text);
  if (bound !== null) return `${SETTINGS_FILE} cannot be read`;
  try {
    const read = settingsSchema.safeParse(parse(text) ?? {});
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    return `${SETTINGS_FILE} has a mistake at \`${issue?.path.join(".")}\`: ${issue?.message}`;
  } catch {
    return `${SETTINGS_FILE} is not YAML`;
  }
}

export async function fillCache(ports: FillPorts): Promise<Filled> {
  const { settings, git } = ports;
  const { sha, branch, repository, serverUrl, githubToken: token } = settings;
  const source = { sha, branch, repository, serverUrl, token };
  const notEmpty = await emptyWorkspace(settings.workspace, ports.ownership, git.repository.environment);
  if (notEmpty !== null) return { ok: false, words: `The workspace cannot be emptied: ${notEmpty}.` };
  await fetchJob(git, source, false);
  const file = await git.try(["cat-file", "blob", `${sha}:${SETTINGS_FILE}`]);
  const wanted = file.code === 0 ? readCacheSettings(file.stdout.toString("utf8")) : {};
  if (typeof wanted === "string") return { ok: false, words: `The cache was not filled: ${wanted}.` };
  const { cache, container = null } = wanted;
  if (cache === undefined) return { ok: true, words: `There is nothing to do: there is no ${SETTING}.` };
  try {
    return await fillAndSave(ports, cache, container, () => checkOut(git, source, { checkout_paths: [] }));
  } catch (error) {
    return { ok: false, words: `The cache was not saved: ${sentence(error)}.` };
  }
}

async function fillAndSave(
  ports: FillPorts,
  cache: Cache,
  container: Container | null,
  checkOutAll: () => Promise<void>,
): Promise<Filled> {
  const { settings, git, docker, names, ownership, show } = ports;
  const { cacheAccess: access, image, sha, folder } = settings;
  if (access === null) return { ok: false, words: "The cache was not filled: this runner has no cache service." };
  const { key } = await cacheKeysOf(git, sha, { cache, container, image });
  if ((await findCache(access, key, []))?.key === key)
    return { ok: true, words: "The cache of these lock files is there." };
  await checkOutAll();
  const given = await ownership.give();
  if (given !== null) return { ok: false, words: `The checkout cannot be given to the agent's user: ${given}.` };
  const place = await placeOf(ports, container);
  if (typeof place === "string")
    return { ok: false, words: place.replace("The agent was not started", "The cache was not filled") };
  await makeCacheVolume({ docker, names, image });
  const failure = await runImageCommands({
    docker,
    container: place,
    commands: cache.fill,
    minutes: FILL_MINUTES,
    ...{ kind: "fill", setting: SETTING, limit: "the limit of all fill commands together", show },
  });
  if (failure !== null) return { ok: false, words: `The cache was not filled: ${failure}` };
  const file = join(folder, "cache.tar.gz");
  try {
    await writeArchive({ docker, names, image }, cache, file);
    const saved = await saveCache(access, key, file);
    return { ok: true, words: saved ? "The cache was filled and saved." : "Another run has saved this cache." };
  } finally {
    rmSync(file, { force: true });
  }
}

type Place = Omit<ContainerOptions, "entrypoint" | "args" | "name"> & { readonly name: string };

/** The image of jobs, with the tools of earlier steps where they reach it. */
async function placeOf(
  { settings, git, docker, names, show }: FillPorts,
  container: Container | null,
): Promise<Place | string> {
  const flags = [
    ...["--no-healthcheck", "--network", "bridge", "--pids-limit", "512", "--memory", "4g", ...cacheFlags(names)],
    ...["-v", `${settings.workspace}:/workspace`, "-w", "/workspace"],
  ];
  const base = { name: names.fill, user: `${AGENT_UID}:${AGENT_UID}` };
  // Docker itself must not see these.
  const variables = (own: Readonly<Record<string, string>>): string[] =>
    Object.entries({ ...own, HOME: CACHE_HOME, CI: "true", NO_COLOR: "1" }).flatMap(([name, value]) => [
      "-e",
      `${name}=${value}`,
    ]);
  if (container === null) {
    const place = inAgentImage(settings);
    const tools = toolchainSchema.parse(parseForeignJson(place.env[TOOLCHAIN_VARIABLE] ?? "{}"));
    const own = { ...tools.variables, PATH: [...tools.path_before, IMAGE_PATH].join(":") };
    return { ...base, image: place.image, flags: [...flags, ...place.flags, ...variables(own)], env: {} };
  }
  const { githubToken: token, folder, sha: commit } = settings;
  const globs = container.setup_paths;
  const ports = { git, folder, token };
  const files = globs === undefined ? null : await copySetUpFiles(ports, { commit, globs, part: false });
  const made = await prepareOwnImage({ docker, names, agentImage: settings.image, container, files, show });
  removeSetUpFiles(ports);
  return made.ok ? { ...base, image: made.image.name, flags: [...flags, ...variables({})], env: {} } : made.reason;
}
