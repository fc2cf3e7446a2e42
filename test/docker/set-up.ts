/**
 * Builds both images before the tests that need a real Docker engine. Where no engine answers that can do all of it,
 * these tests are left out, which is said; REQUIRE_DOCKER=1 makes that a failure.
 */
import type { TestProject } from "vitest/node";
import { buildImages, type Images, outputOrNull } from "./build-images.ts";

/** Older ones accept the fence's options without effect. */
const OLDEST_MAJOR = 28;

declare module "vitest" {
  interface ProvidedContext {
    /** Null where no engine answers. */
    readonly images: Images | null;
  }
}

/** Why the tests cannot run on that version. */
function missing(version: string | null): string | null {
  if (version === null) return "no Docker engine answers";
  if (outputOrNull("docker", "compose", "version") === null) return "Docker's Compose plugin is not there";
  const old = Number(version.split(".")[0]) < OLDEST_MAJOR;
  return old ? `Docker ${version} answers, and ${OLDEST_MAJOR} is the oldest that can do it` : null;
}

export function setup({ provide }: TestProject): void {
  const version = outputOrNull("docker", "version", "--format", "{{.Server.Version}}");
  const reason = missing(version);
  if (reason !== null && process.env.REQUIRE_DOCKER === "1") throw new Error(`REQUIRE_DOCKER=1, but ${reason}.`);
  if (reason === null) console.log(`Containers run on Docker ${version}.`);
  else console.log(`The tests that need containers are left out: ${reason}.`);
  provide("images", reason === null ? buildImages() : null);
}
