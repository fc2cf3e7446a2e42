/**
 * Answers `docker network …` and tracks containers' addresses as docker would. There is no isolation: all played
 * containers are processes of this machine and share its address.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DockerRefusal } from "./docker-args.ts";

const ADDRESS = "127.0.0.1";
/** Docker's built-in networks. */
const GIVEN: readonly string[] = ["bridge", "host", "none"];
const INTERNAL = "--internal";
const WITH_VALUE: readonly string[] = ["--opt", "-o", "--driver", "-d", "--label"];

/** Exit code of docker's commands other than `run` when they fail. */
const FAILED = 1;

/** The only formats that are asked of a container and of a network. */
const ADDRESS_ASKED = /^\{\{\s*\(index \.NetworkSettings\.Networks "([^"]+)"\)\.IPAddress\s*\}\}$/;
const POOLS_ASKED = "{{json .IPAM.Config}}";
const SUBNET = "10.0.0.0/24";
const GATEWAY = "10.0.0.1";

/** In an internal network's folder; no container name begins with this. */
const INTERNAL_MARK = ".internal";

/** A network is a folder with an empty file per container. */
export class DockerNetworks {
  readonly #folder: string;
  readonly #lives: (container: string) => boolean;

  constructor(state: string, lives: (container: string) => boolean) {
    this.#folder = join(state, "networks");
    this.#lives = lives;
  }

  /** Implements `docker network …`; returns what to print. */
  command([command, ...argv]: readonly string[]): string {
    if (command === "inspect") return this.#pools(argv);
    const { words, internal } = splitWords(argv);
    const [network = "", container = ""] = words;
    if (network === "") throw new DockerRefusal(`"docker network ${command ?? ""}" requires a name`, FAILED);
    switch (command) {
      case "create":
        if (this.#has(network)) throw new DockerRefusal(`network with name ${network} already exists`, FAILED);
        mkdirSync(this.#folderOf(network), { recursive: true });
        if (internal) this.#put(network, INTERNAL_MARK);
        return network;
      case "connect":
        if (!this.#lives(container)) throw new DockerRefusal(`No such container: ${container}`, FAILED);
        this.join(network, container);
        return "";
      case "rm":
        return this.#removeAll(words);
      default:
        throw new DockerRefusal(`the sandbox does not play docker network ${command ?? ""}`, FAILED);
    }
  }

  /** Implements `docker inspect --format …`, for addresses only. */
  inspect(argv: readonly string[]): string {
    const { format, name: container } = asked(argv);
    const network = ADDRESS_ASKED.exec(format)?.[1];
    if (network === undefined)
      throw new DockerRefusal("the sandbox plays docker inspect for a container's address in a network alone", FAILED);
    if (!this.#lives(container)) throw new DockerRefusal(`No such object: ${container}`, FAILED);
    return this.#holds(network, container) ? ADDRESS : "";
  }

  join(network: string, container: string): void {
    if (GIVEN.includes(network)) return;
    if (!this.#has(network)) throw new DockerRefusal(`network ${network} not found`);
    this.#put(network, container);
  }

  /** An isolated internal network has no address on the host. */
  #pools(argv: readonly string[]): string {
    const { format, name } = asked(argv);
    if (format !== POOLS_ASKED)
      throw new DockerRefusal(`the sandbox plays docker network inspect for ${POOLS_ASKED} alone`, FAILED);
    if (!this.#has(name)) throw new DockerRefusal(`network ${name} not found`, FAILED);
    return JSON.stringify([{ Subnet: SUBNET, ...(this.#holds(name, INTERNAL_MARK) ? {} : { Gateway: GATEWAY }) }]);
  }

  /** Removes those that exist; reports all failures together. */
  #removeAll(networks: readonly string[]): string {
    const problems = networks.flatMap((network) => this.#remove(network) ?? []);
    if (problems.length > 0) throw new DockerRefusal(problems.join("\n"), FAILED);
    return networks.join("\n");
  }

  #remove(network: string): string | undefined {
    if (!this.#has(network)) return `network ${network} not found`;
    const there = readdirSync(this.#folderOf(network)).filter((container) => this.#lives(container));
    if (there.length > 0) return `network ${network} has active endpoints: ${there.join(", ")}`;
    rmSync(this.#folderOf(network), { recursive: true });
    return undefined;
  }

  #folderOf(network: string): string {
    return join(this.#folder, fileName(network));
  }

  #has(network: string): boolean {
    return existsSync(this.#folderOf(network));
  }

  #holds(network: string, entry: string): boolean {
    return existsSync(join(this.#folderOf(network), fileName(entry)));
  }

  #put(network: string, entry: string): void {
    writeFileSync(join(this.#folderOf(network), fileName(entry)), "");
  }
}

const fileName = (name: string): string => name.replaceAll(/[^\w.-]/g, "_");

function asked(argv: readonly string[]): { format: string; name: string } {
  const [flag, format = "", name = "", ...more] = argv.flatMap((word) =>
    word.startsWith("--format=") ? ["--format", word.slice("--format=".length)] : [word],
  );
  return (flag === "--format" || flag === "-f") && more.length === 0 ? { format, name } : { format: "", name: "" };
}

function splitWords(argv: readonly string[]): { words: string[]; internal: boolean } {
  const words: string[] = [];
  const queue = [...argv];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const [flag = ""] = word.split("=");
    if (!word.startsWith("-")) words.push(word);
    else if (WITH_VALUE.includes(flag)) {
      if (!word.includes("=")) queue.shift();
    } else if (word !== INTERNAL)
      throw new DockerRefusal(`the sandbox does not play ${flag} of docker network`, FAILED);
  }
  return { words, internal: argv.includes(INTERNAL) };
}
