/**
 * Owns the folder that stands first on the PATH of played steps: an executable `docker` that starts docker-shim, and a
 * `sudo` that refuses.
 */
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { killMarked } from "./processes.ts";

export interface DockerShim {
  /** Program and first arguments of the agent, absolute; the arguments after the image's name follow. */
  readonly agentCommand: readonly string[];
  /** Other programs of the agent's image, by the names that `--entrypoint` knows them by. */
  readonly entrypoints?: Readonly<Record<string, readonly string[]>>;
  /** Program and first arguments of the shim itself; unless given, the one beside this file. */
  readonly command?: readonly string[];
}

/** COUNT, and for each program its name, the number of its words, and these. */
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

export class DockerFolder {
  readonly bin: string;
  readonly #state: string;
  readonly #shim: DockerShim;

  constructor(folder: string, shim: DockerShim) {
    this.bin = join(folder, "bin");
    this.#state = join(folder, "containers");
    this.#shim = shim;
  }

  /** `path`: the PATH that the container sees, without this folder. */
  async make(path: string): Promise<void> {
    await mkdir(this.bin, { recursive: true });
    await mkdir(this.#state, { recursive: true });
    const words = [
      ...(this.#shim.command ?? shimCommand()),
      this.#state,
      path,
      ...programWords({ "": this.#shim.agentCommand, ...this.#shim.entrypoints }),
    ];
    await this.#program("docker", `exec ${words.map(quote).join(" ")} "$@"`);
    // Hosted machines give root away; this one is somebody's own, and a step must not get at it by a passwordless sudo.
    await this.#program("sudo", "echo 'sudo: the sandbox does not play sudo' >&2\nexit 1");
  }

  async #program(name: string, script: string): Promise<void> {
    const file = join(this.bin, name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  }

  /** Ends containers whose `docker run` was killed, so that nothing of a job outlives it. */
  async killLeftovers(): Promise<void> {
    for (const entry of await readdir(this.#state).catch(() => [])) {
      const [, id] = (await readFile(join(this.#state, entry), "utf8").catch(() => "")).trim().split(" ");
      if (id !== undefined) await killMarked(`HOSTNAME=${id}`);
    }
  }
}
