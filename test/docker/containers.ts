/** Containers of a test, started with docker's own command line and removed afterwards. */
import { randomBytes } from "node:crypto";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { execa } from "execa";
import { describe, inject } from "vitest";

const LOOK_EVERY_MS = 100;
const TIMEOUT_MS = 60_000;

export const images = inject("images");

/** As `describe`, but left out where no engine answers. */
export const describeContainers = describe.skipIf(images === null);

/** The image of that target. */
export const imageOf = (target: "app" | "agent"): string => images?.[target] ?? "";

/** What docker says to these arguments; an error holds what it complained of. */
export async function docker(...args: string[]): Promise<string> {
  return (await execa("docker", args, { stdin: "ignore" })).stdout.trim();
}

export interface Ended {
  readonly code: number;
  /** Both streams as they came. */
  readonly output: string;
}

/** Runs a container to its end and removes it, whatever its code. Variables reach it by name, as in the product. */
export async function runContainer(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const names = Object.keys(env).flatMap((name) => ["-e", name]);
  const ended = await execa("docker", ["run", "--rm", ...names, ...args], {
    env,
    all: true,
    reject: false,
    stdin: "ignore",
  });
  return { code: ended.exitCode ?? -1, output: ended.all };
}

export const newName = (): string => `journeyman-test-${randomBytes(4).toString("hex")}`;

/** Gives a folder of this machine, with all that is in it, to a user of the images. */
export const giveTo = (folder: string, uid: number): Promise<string> =>
  docker(
    ...["run", "--rm", "--user", "0", "--network", "none", "--volume", `${folder}:/own`],
    ...["--entrypoint", "chown", imageOf("agent"), "-R", `${uid}:${uid}`, "/own"],
  );

/** Waits until it holds; says what was waited for when it does not. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await wait(LOOK_EVERY_MS);
  }
}

/** Where containers on docker's own bridge find this machine. */
export const hostAddress = (): Promise<string> =>
  docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}");

export interface Opened {
  readonly url: string;
  readonly close: () => void;
}

/** Lets containers reach a server that listens for this machine alone. */
export async function openToContainers(target: string): Promise<Opened> {
  const { hostname, port } = new URL(target);
  const server = createServer((client) => {
    const behind = connect(Number(port), hostname);
    for (const side of [client, behind]) side.on("error", () => [client, behind].map((one) => one.destroy()));
    client.pipe(behind).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const { port: open } = server.address() as AddressInfo;
  return { url: `http://${await hostAddress()}:${open}`, close: () => void server.close() };
}
