/**
 * The bookkeeping of `docker network …` and of a container's address: which networks there are and who is on them, as
 * docker would answer. Nothing is kept apart: all played containers are processes of this machine, whose own address is
 * therefore everybody's.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DockerRefusal } from "./docker-args.ts";

const ADDRESS = "127.0.0.1";
/** Docker's own, which are always there. */
const GIVEN: readonly string[] = ["bridge", "host", "none"];
const INTERNAL = "--internal";
const WITH_VALUE: readonly string[] = ["--opt", "-o", "--driver", "-d", "--label"];

/** What docker's commands but `run` end with when they cannot. */
const FAILED = 1;

/** The only things that anybody asks of a container, and of a network. */
const ADDRESS_ASKED = /^\{\{\s*\(index \.NetworkSettings\.Networks "([^"]+)"\)\.IPAddress\s*\}\}$/;
const POOLS_ASKED = "{{json .IPAM.Config}}";
const SUBNET = "10.0.0.0/24";
const GATEWAY = "10.0.0.1";

const networkSchema = z.object({ internal: z.boolean(), containers: z.array(z.string()) });
type Network = z.output<typeof networkSchema>;

export class DockerNetworks {
  readonly #folder: string;
  readonly #lives: (container: string) => boolean;

  constructor(state: string, lives: (container: string) => boolean) {
    this.#folder = join(state, "networks");
    this.#lives = lives;
  }

  /** `docker network …`; answers what is printed. */
  command([command, ...argv]: readonly string[]): string {
    if (command === "inspect") return this.#pools(argv);
    const { words, internal } = splitWords(argv);
    const [network = "", container = ""] = words;
    if (network === "") throw new DockerRefusal(`"docker network ${command ?? ""}" requires a name`, FAILED);
    switch (command) {
      case "create":
        if (this.#has(network)) throw new DockerRefusal(`network with name ${network} already exists`, FAILED);
        this.#write(network, { internal, containers: [] });
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

  /** `docker inspect --format …`, of which an address is all that is played. */
  inspect(argv: readonly string[]): string {
    const { format, name: container } = asked(argv);
    const network = ADDRESS_ASKED.exec(format)?.[1];
    if (network === undefined)
      throw new DockerRefusal("the sandbox plays docker inspect for a container's address in a network alone", FAILED);
    if (!this.#lives(container)) throw new DockerRefusal(`No such object: ${container}`, FAILED);
    return this.#has(network) && this.#read(network).containers.includes(container) ? ADDRESS : "";
  }

  join(network: string, container: string): void {
    if (GIVEN.includes(network)) return;
    if (!this.#has(network)) throw new DockerRefusal(`network ${network} not found`);
    const { internal, containers } = this.#read(network);
    this.#write(network, { internal, containers: [...containers.filter((name) => name !== container), container] });
  }

  /** An internal network that is isolated has no address of the machine. */
  #pools(argv: readonly string[]): string {
    const { format, name } = asked(argv);
    if (format !== POOLS_ASKED)
      throw new DockerRefusal(`the sandbox plays docker network inspect for ${POOLS_ASKED} alone`, FAILED);
    if (!this.#has(name)) throw new DockerRefusal(`network ${name} not found`, FAILED);
    return JSON.stringify([{ Subnet: SUBNET, ...(this.#read(name).internal ? {} : { Gateway: GATEWAY }) }]);
  }

  /** Each that there is; those that could not be removed are told together. */
  #removeAll(networks: readonly string[]): string {
    const problems = networks.flatMap((network) => this.#remove(network) ?? []);
    if (problems.length > 0) throw new DockerRefusal(problems.join("\n"), FAILED);
    return networks.join("\n");
  }

  #remove(network: string): string | undefined {
    if (!this.#has(network)) return `network ${network} not found`;
    const there = this.#read(network).containers.filter((container) => this.#lives(container));
    if (there.length > 0) return `network ${network} has active endpoints: ${there.join(", ")}`;
    rmSync(this.#file(network));
    return undefined;
  }

  #file(network: string): string {
    return join(this.#folder, network.replaceAll(/[^\w.-]/g, "_"));
  }

  #has(network: string): boolean {
    return existsSync(this.#file(network));
  }

  #read(network: string): Network {
    return networkSchema.parse(JSON.parse(readFileSync(this.#file(network), "utf8")));
  }

  #write(name: string, network: Network): void {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(this.#file(name), JSON.stringify(network));
  }
}

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
