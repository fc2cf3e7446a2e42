/**
 * Changes the owner of the checkout: to the container's user while the agent works, and back to the runner's user
 * afterwards. Works as root, with passwordless sudo, or as root of a container that mounts only the checkout.
 */
import { lstat } from "node:fs/promises";
import type { Docker } from "./docker.ts";
import type { Within } from "./git.ts";
import { type CommandResult, errorTail, runCommand, succeeded } from "./run-command.ts";

/** The user of the agent's image. */
export const AGENT_UID = 10_001;
const LIMIT_MS = 60_000;
const ASK_SUDO_MS = 5_000;

export interface OwnershipPorts {
  readonly docker: Docker;
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  /** User id of this process. */
  readonly uid: number;
  readonly gid: number;
  readonly within: Within;
}

/** Null when done, otherwise why not. */
export type Changed = string | null;

export class Ownership {
  readonly #ports: OwnershipPorts;
  readonly #folder: string;
  #sudo: Promise<boolean> | null = null;

  constructor(ports: OwnershipPorts, folder: string) {
    this.#ports = ports;
    this.#folder = folder;
  }

  give(): Promise<Changed> {
    return this.#change(AGENT_UID, AGENT_UID);
  }

  /** Also covers files that an earlier job left here. */
  async take(): Promise<Changed> {
    const { uid, gid } = this.#ports;
    const why = await this.#change(uid, gid);
    if (why !== null || (await lstat(this.#folder)).uid === uid) return why;
    // With a rootless engine, root of a container is this user.
    return this.#byContainer(0, 0);
  }

  async #change(uid: number, gid: number): Promise<Changed> {
    if (this.#ports.uid === 0) return this.#byCommand("chown", [], uid, gid);
    this.#sudo ??= this.#maySudo();
    if (!(await this.#sudo)) return this.#byContainer(uid, gid);
    // This user cannot kill root's process, so `timeout` does.
    const seconds = String(Math.ceil(this.#ports.within(LIMIT_MS) / 1_000));
    return this.#byCommand("sudo", ["-n", "timeout", "--signal=KILL", seconds, "chown"], uid, gid);
  }

  async #maySudo(): Promise<boolean> {
    return succeeded(await runCommand("sudo", ["-n", "true"], { env: this.#ports.environment, limitMs: ASK_SUDO_MS }));
  }

  async #byCommand(file: string, before: readonly string[], uid: number, gid: number): Promise<Changed> {
    const args = [...before, "-hR", `${uid}:${gid}`, this.#folder];
    return whyNot(
      await runCommand(file, args, { env: this.#ports.environment, limitMs: this.#ports.within(LIMIT_MS) }),
    );
  }

  async #byContainer(uid: number, gid: number): Promise<Changed> {
    const { docker, image } = this.#ports;
    const rights = ["--cap-add", "CHOWN", "--cap-add", "DAC_OVERRIDE"];
    const flags = ["--network", "none", ...rights, "-v", `${this.#folder}:/workspace`];
    const args = ["-hR", `${uid}:${gid}`, "/workspace"];
    return whyNot(await docker.finish({ image, user: "0:0", entrypoint: "chown", flags, env: {}, args }, LIMIT_MS));
  }
}

const whyNot = (ran: CommandResult): Changed => (succeeded(ran) ? null : errorTail(ran));
