/**
 * Creates the folder that comes first on the PATH of played steps: a `docker` that plays containers as processes or
 * forwards to a real engine, and a `sudo` that refuses. Removes a job's leftover containers with it.
 */
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { killMarked } from "./processes.ts";

/** Containers run as processes of this machine. */
export interface DockerShim {
  /** Absolute program and first arguments of the agent; the arguments after the image's name follow. */
  readonly agentCommand: readonly string[];
  /** Other programs of the agent's image, by their `--entrypoint` name. */
  readonly entrypoints?: Readonly<Record<string, readonly string[]>>;
  /** Program and first arguments of the shim; by default the one next to this file. */
  readonly command?: readonly string[];
}

/** A real engine, used through docker's own command line. */
export interface DockerEngine {
  readonly client: string;
  /** Variables that locate the engine. */
  readonly env: Readonly<Record<string, string>>;
}

export type Containers =
  | { readonly kind: "process"; readonly shim: DockerShim }
  | { readonly kind: "docker"; readonly engine: DockerEngine };

/** COUNT, then for each program its name, its number of words, and the words. */
function programWords(programs: Readonly<Record<string, readonly string[]>>): string[] {
  const all = Object.entries(programs);
  return [String(all.length), ...all.flatMap(([name, words]) => [name, String(words.length), ...words])];
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

function shimCommand(): string[] {
  const here = import.meta.url;
  const built = here.endsWith(".js");
  const program = fileURLToPath(new URL(built ? "./docker-shim.js" : "./docker-shim.ts", here));
  return [process.execPath, program];
}

/** A label on everything that one job creates, so that it can be found after the step was killed. */
const LABEL = "dev.journeyman.sandbox";
const CALL_LIMIT_MS = 30_000;

/** A `docker` that labels containers and networks and otherwise is docker's own client. */
function engineScript({ client, env }: DockerEngine, mark: string): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`);
  const label = `--label ${quote(`${LABEL}=${mark}`)}`;
  return [
    ...exports,
    'case "$1 $2" in',
    `"network create") shift 2; exec ${quote(client)} network create ${label} "$@" ;;`,
    `"run "* | "create "*) verb=$1; shift; exec ${quote(client)} "$verb" ${label} "$@" ;;`,
    "esac",
    `exec ${quote(client)} "$@"`,
  ].join("\n");
}

export class DockerFolder {
  readonly bin: string;
  readonly #state: string;
  readonly #containers: Containers;
  readonly #mark: string;

  constructor(folder: string, containers: Containers) {
    this.bin = join(folder, "bin");
    this.#state = join(folder, "containers");
    this.#containers = containers;
    this.#mark = `${process.pid}-${basename(join(folder, ".."))}`;
  }

  /** `path`: the PATH inside the container, without this folder. */
  async make(path: string): Promise<void> {
    await mkdir(this.bin, { recursive: true });
    await mkdir(this.#state, { recursive: true });
    const script =
      this.#containers.kind === "docker"
        ? engineScript(this.#containers.engine, this.#mark)
        : this.#shimScript(this.#containers.shim, path);
    await this.#program("docker", script);
    // Hosted machines allow sudo; this one belongs to a developer, and a step must not use passwordless sudo on it.
    await this.#program("sudo", "echo 'sudo: the sandbox does not play sudo' >&2\nexit 1");
  }

  #shimScript({ command, agentCommand, entrypoints }: DockerShim, path: string): string {
    const programs = programWords({ "": agentCommand, ...entrypoints });
    return `exec ${[...(command ?? shimCommand()), this.#state, path, ...programs].map(quote).join(" ")} "$@"`;
  }

  async #program(name: string, script: string): Promise<void> {
    const file = join(this.bin, name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  }

  /**
   * Removes a job's leftover containers and networks, and returns their names. A hosted machine is discarded after a
   * job, a developer's is not.
   */
  async removeLeftovers(): Promise<readonly string[]> {
    return this.#containers.kind === "docker" ? this.#removeMarked(this.#containers.engine) : this.#killPlayed();
  }

  async #killPlayed(): Promise<readonly string[]> {
    const left: string[] = [];
    for (const entry of await readdir(this.#state).catch(() => [])) {
      const [, id] = (await readFile(join(this.#state, entry), "utf8").catch(() => "")).trim().split(" ");
      if (id === undefined) continue;
      await killMarked(`HOSTNAME=${id}`);
      left.push(entry);
    }
    return left;
  }

  async #removeMarked({ client, env }: DockerEngine): Promise<readonly string[]> {
    const call = async (...args: string[]): Promise<string[]> => {
      const { stdout } = await execa(client, args, { env, stdin: "ignore", reject: false, timeout: CALL_LIMIT_MS });
      return stdout.split("\n").filter((name) => name !== "");
    };
    const filter = ["--filter", `label=${LABEL}=${this.#mark}`];
    const containers = await call("ps", "--all", "--format", "{{.Names}}", ...filter);
    if (containers.length > 0) await call("rm", "--force", "--volumes", ...containers);
    const networks = await call("network", "ls", "--format", "{{.Name}}", ...filter);
    if (networks.length > 0) await call("network", "rm", ...networks);
    return [...containers, ...networks];
  }
}
