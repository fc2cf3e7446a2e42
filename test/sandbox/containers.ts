/**
 * Chooses where the containers of sandbox jobs run: in a real Docker engine or as processes. A real engine must
 * respond, have the agent's image, and offer an address at which containers reach this machine.
 */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { createServer, isIPv4 } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import * as z from "zod";
import type { Containers, DockerEngine, DockerShim } from "./actions/docker-folder.ts";

export const CONTAINER_CHOICES = ["auto", "docker", "process"] as const;
export type ContainerChoice = (typeof CONTAINER_CHOICES)[number];

type Environment = Readonly<Record<string, string | undefined>>;

export interface ContainerWishes {
  readonly choice: ContainerChoice;
  /** The agent's image; null for the first of {@link LOCAL_IMAGES} that exists. */
  readonly image: string | null;
  /** The path of docker's client, and its environment. */
  readonly environment: Environment;
}

export interface ChosenContainers {
  readonly containers: Containers;
  /** The image that the workflow has to name; null for processes, which need none. */
  readonly image: string | null;
  /** The address at which containers reach this machine. */
  readonly host: string;
  /** The choice and its reason, as a sentence. */
  readonly sentence: string;
}

/** The image names that the README and the tests build. */
export const LOCAL_IMAGES: readonly string[] = ["journeyman-agent", "journeyman-test:agent"];
const LOOPBACK = "127.0.0.1";
const CALL_LIMIT_MS = 10_000;
/** Variables that docker's client reads. */
const CLIENT_VARIABLES: readonly string[] = [
  ...["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION"],
];

type Found = { readonly ok: true; readonly chosen: ChosenContainers } | { readonly ok: false; readonly why: string };

/** `wishes` null: no engine was requested. Throws a sentence when the requested one cannot be used. */
export async function chooseContainers(wishes: ContainerWishes | null, shim: DockerShim): Promise<ChosenContainers> {
  const asProcesses = (why: string): ChosenContainers => ({
    containers: { kind: "process", shim },
    image: null,
    host: LOOPBACK,
    sentence: `Containers are played as processes: ${why}.`,
  });
  if (wishes === null || wishes.choice === "process") return asProcesses("that was asked for");
  const found = await findEngine(wishes.image, wishes.environment);
  if (found.ok) return found.chosen;
  if (wishes.choice === "docker") throw new Error(`Jobs cannot run in real containers: ${found.why}.`);
  return asProcesses(found.why);
}

async function findEngine(wanted: string | null, env: Environment): Promise<Found> {
  const no = (why: string): Found => ({ ok: false, why });
  const client = await clientOn(env.PATH ?? "");
  if (client === undefined) return no("there is no docker on the PATH");
  const engine: DockerEngine = { client, env: clientEnv(env) };
  const version = await ask(engine, "version", "--format", "{{.Server.Version}}");
  if (version === undefined) return no("no Docker engine answers");
  const images = wanted === null ? LOCAL_IMAGES : [wanted];
  const image = await firstImage(engine, images);
  if (image === undefined)
    return no(`Docker ${version} has no image ${images.join(" or ")} (docker build --target agent -t ${images[0]} .)`);
  const host = await addressOn(engine);
  if (host === undefined) return no(`the bridge of Docker ${version} is not an address of this machine`);
  const sentence = `Containers are real: Docker ${version}, image ${image.name} of ${image.made}.`;
  return { ok: true, chosen: { containers: { kind: "docker", engine }, image: image.name, host, sentence } };
}

async function clientOn(path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((one) => one !== "")) {
    const file = join(folder, "docker");
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

/** Steps have their own HOME, so the folder of the client's settings is passed. */
function clientEnv(env: Environment): Record<string, string> {
  const named = CLIENT_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return { ...Object.fromEntries(named), DOCKER_CONFIG: env.DOCKER_CONFIG ?? join(homedir(), ".docker") };
}

async function ask({ client, env }: DockerEngine, ...args: string[]): Promise<string | undefined> {
  const answer = await execa(client, args, { env, stdin: "ignore", reject: false, timeout: CALL_LIMIT_MS });
  return answer.failed ? undefined : answer.stdout.trim();
}

/** With its date, since nothing else tells whether the image was built from these sources. */
async function firstImage(engine: DockerEngine, names: readonly string[]) {
  for (const name of names) {
    const made = await ask(engine, "image", "inspect", "--format", "{{.Created}}", name);
    if (made !== undefined) return { name, made: made.slice(0, "2000-01-01T00:00".length).replace("T", " ") };
  }
  return undefined;
}

const poolsSchema = z.array(z.object({ Subnet: z.string(), Gateway: z.string().optional() }));

/** This machine's address on docker's own bridge, which containers of every bridge reach. */
async function addressOn(engine: DockerEngine): Promise<string | undefined> {
  const answer = await ask(engine, "network", "inspect", "--format", "{{json .IPAM.Config}}", "bridge");
  if (answer === undefined) return undefined;
  // an engine that has just started may omit it: it is the network's first address
  const addresses = poolsSchema.parse(JSON.parse(answer)).map((pool) => pool.Gateway ?? firstOf(pool.Subnet));
  for (const address of addresses) if (isIPv4(address) && (await isOurs(address))) return address;
  return undefined;
}

const firstOf = (subnet: string): string => subnet.replace(/\d+\/\d+$/, "1");

/** An engine in a virtual machine or on another host has a bridge on which this machine cannot listen. */
function isOurs(address: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(0, address, () => server.close(() => resolve(true)));
  });
}
