/**
 * The bookkeeping of `docker network …` and of a container's address: which networks there are and who is on them, as
 * docker would answer. Nothing is kept apart: all played containers are processes of this machine, whose own address is
 * therefore everybody's.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DockerRefusal } from "./docker-args.ts";

const ADDRESS = "127.0.0.1";
/** Docker's own, which are always there. */
const GIVEN: readonly string[] = ["bridge", "host", "none"];
const ALONE: readonly string[] = ["--internal"];
const WITH_VALUE: readonly string[] = ["--opt", "-o", "--driver", "-d", "--label"];

/** What docker's commands but `run` end with when they cannot. */
const FAILED = 1;

/** The only thing that anybody asks a container for. */
const ADDRESS_ASKED = /^\{\{\s*\(index \.NetworkSettings\.Networks "([^"]+)"\)\.IPAddress\s*\}\}$/;

export class DockerNetworks {
  readonly #folder: string;
  readonly #lives: (container: string) => boolean;

  constructor(state: string, lives: (container: string) => boolean) {
    this.#folder = join(state, "networks");
    this.#lives = lives;
  }

  /** `docker network …`; answers what is printed. */
  command([command, ...argv]: readonly string[]): string {
    const names = plainWords(argv);
    const [network = "", container = ""] = names;
    if (network === "") throw new DockerRefusal(`"docker network ${command ?? ""}" requires a name`, FAILED);
    switch (command) {
      case "create":
        if (this.#has(network)) throw new DockerRefusal(`network with name ${network} already exists`, FAILED);
        this.#write(network, []);
        return network;
      case "connect":
        if (!this.#lives(container)) throw new DockerRefusal(`No such container: ${container}`, FAILED);
        this.join(network, container);
        return "";
      case "rm":
        this.#remove(network);
        return network;
      default:
        throw new DockerRefusal(`the sandbox does not play docker network ${command ?? ""}`, FAILED);
    }
  }

  /** `docker inspect --format …`, of which an address is all that is played. */
  inspect(argv: readonly string[]): string {
    const [flag, format = "", container = ""] = argv.flatMap((word) =>
      word.startsWith("--format=") ? ["--format", word.slice("--format=".length)] : [word],
    );
    const network = ADDRESS_ASKED.exec(format)?.[1];
    if ((flag !== "--format" && flag !== "-f") || network === undefined || argv.length > 3)
      throw new DockerRefusal("the sandbox plays docker inspect for a container's address in a network alone", FAILED);
    if (!this.#lives(container)) throw new DockerRefusal(`No such object: ${container}`, FAILED);
    return this.#has(network) && this.#on(network).includes(container) ? ADDRESS : "";
  }

  join(network: string, container: string): void {
    if (GIVEN.includes(network)) return;
    if (!this.#has(network)) throw new DockerRefusal(`network ${network} not found`);
    this.#write(network, [...this.#on(network).filter((name) => name !== container), container]);
  }

  #remove(network: string): void {
    if (!this.#has(network)) throw new DockerRefusal(`network ${network} not found`, FAILED);
    const there = this.#on(network).filter((container) => this.#lives(container));
    if (there.length > 0)
      throw new DockerRefusal(`network ${network} has active endpoints: ${there.join(", ")}`, FAILED);
    rmSync(this.#file(network));
  }

  #file(network: string): string {
    return join(this.#folder, network.replaceAll(/[^\w.-]/g, "_"));
  }

  #has(network: string): boolean {
    return existsSync(this.#file(network));
  }

  #on(network: string): string[] {
    return readFileSync(this.#file(network), "utf8")
      .split("\n")
      .filter((name) => name !== "");
  }

  #write(network: string, containers: readonly string[]): void {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(this.#file(network), containers.join("\n"));
  }
}

function plainWords(argv: readonly string[]): string[] {
  const words: string[] = [];
  const queue = [...argv];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const [flag = ""] = word.split("=");
    if (!word.startsWith("-")) words.push(word);
    else if (WITH_VALUE.includes(flag)) {
      if (!word.includes("=")) queue.shift();
    } else if (!ALONE.includes(word))
      throw new DockerRefusal(`the sandbox does not play ${flag} of docker network`, FAILED);
  }
  return words;
}
