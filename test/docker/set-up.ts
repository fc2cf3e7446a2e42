/**
 * Builds both images before the tests that need a real Docker engine, and tells the tests their ids. Where no engine
 * answers that can do all of it, these tests are left out, which is said; REQUIRE_DOCKER=1 makes that a failure.
 * What an engine has built before is taken from its cache.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

/** Older ones accept the fence's options without effect. */
const OLDEST_MAJOR = 28;
const PROJECT = join(import.meta.dirname, "..", "..");

export const TARGETS = ["app", "agent"] as const;
export type Images = Readonly<Record<(typeof TARGETS)[number], string>>;

declare module "vitest" {
  interface ProvidedContext {
    /** Ids of the images; null where no engine answers. */
    readonly images: Images | null;
  }
}

const output = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: PROJECT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();

const tried = (command: string, ...args: string[]): string | null => {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
};

/** Why the tests cannot run here; null when they can. */
function missing(): string | null {
  const version = tried("docker", "version", "--format", "{{.Server.Version}}");
  if (version === null) return "no Docker engine answers";
  const major = Number(version.split(".")[0]);
  return major >= OLDEST_MAJOR ? null : `Docker ${version} answers, and ${OLDEST_MAJOR} is the oldest that can do it`;
}

/** What the images stand on: what is asked for, else the Dockerfile's own, else one that is made here. */
function base(): string {
  if (process.env.NODE_IMAGE) return process.env.NODE_IMAGE;
  const own = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(join(PROJECT, "Dockerfile"), "utf8"))?.[1] ?? "";
  const here = tried("docker", "image", "inspect", own) ?? tried("docker", "pull", "--quiet", own);
  if (here !== null) return own;
  console.log(`${own} cannot be pulled, so a base is made from Debian's packages and this project's Node.`);
  return output("bash", join(import.meta.dirname, "base.sh"));
}

export function buildImages(): Images {
  const from = base();
  const build = (target: string): string =>
    output(
      "docker",
      "build",
      "--quiet",
      "--build-arg",
      `NODE_IMAGE=${from}`,
      "--target",
      target,
      "--tag",
      `journeyman-test:${target}`,
      ".",
    );
  return { app: build("app"), agent: build("agent") };
}

export function setup({ provide }: TestProject): void {
  const reason = missing();
  if (reason !== null && process.env.REQUIRE_DOCKER === "1") throw new Error(`REQUIRE_DOCKER=1, but ${reason}.`);
  if (reason !== null) console.log(`The tests that need containers are left out: ${reason}.`);
  else console.log(`Containers run on Docker ${tried("docker", "version", "--format", "{{.Server.Version}}")}.`);
  provide("images", reason === null ? buildImages() : null);
}
