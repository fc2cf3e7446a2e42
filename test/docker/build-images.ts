/** Builds both images on the Docker engine that answers, using its cache. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PUBLISHER } from "../../src/contracts/publisher.ts";
import { VERSION } from "../../src/contracts/version.ts";

const PROJECT = join(import.meta.dirname, "..", "..");

export interface Images {
  /** The name of what both stand on. */
  readonly base: string;
  /** Ids, so that builds of another clone on the same engine change nothing. */
  readonly app: string;
  readonly agent: string;
}

const output = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: PROJECT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();

/** Null when it fails. */
export function outputOrNull(command: string, ...args: string[]): string | null {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}

/** What is asked for, else the Dockerfile's own, else one that is made here. */
function findBase(): string {
  if (process.env.NODE_IMAGE) return process.env.NODE_IMAGE;
  const own = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(join(PROJECT, "Dockerfile"), "utf8"))?.[1] ?? "";
  const here = outputOrNull("docker", "image", "inspect", own) ?? outputOrNull("docker", "pull", "--quiet", own);
  if (here !== null) return own;
  console.log(
    `${own} cannot be pulled; its place is taken by a base made of Debian's packages and this project's Node.`,
  );
  return output("bash", join(import.meta.dirname, "base.sh"));
}

export function buildImages(): Images {
  const base = findBase();
  const build = (target: string): string => {
    const labels = [`source=https://github.com/${PUBLISHER}`, `version=${VERSION}`];
    const labelled = labels.flatMap((label) => ["--label", `org.opencontainers.image.${label}`]);
    const what = [
      ...labelled,
      "--build-arg",
      `NODE_IMAGE=${base}`,
      "--target",
      target,
      "--tag",
      `journeyman-test:${target}`,
    ];
    return output("docker", "build", "--quiet", ...what, ".");
  };
  return { base, app: build("app"), agent: build("agent") };
}
