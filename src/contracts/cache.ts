/**
 * The repository's cache (`cache`): folders of the agent's home that a run on the default branch fills and every job
 * starts with, and the lock files that decide when it is filled anew.
 */
import * as z from "zod";
import { command } from "./container.ts";

const MAX_PATHS = 10;
const MAX_PATH = 200;
const MAX_FILL_COMMANDS = 20;
/** For all fill commands together. */
export const FILL_MINUTES = 30;

/** The home of the agent's user where there is a cache. */
export const CACHE_HOME = "/home/agent";

/** Holds keys or starts programs: a cache is readable by every run of the repository. */
const KEPT_OUT: ReadonlySet<string> = new Set([
  ...[".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".npmrc", ".pypirc", ".git-credentials"],
  ...[".gitconfig", ".config", ".bashrc", ".bash_profile", ".profile", ".zshrc"],
]);

const SEGMENT = /^\.?[\w@+][\w.@+-]*$/;

/** Whether this is `~/` and a folder below, without patterns, `..` and places of keys. */
export function isCachePath(text: string): boolean {
  if (text.length > MAX_PATH || !text.startsWith("~/")) return false;
  const segments = text.slice(2).replace(/\/$/, "").split("/");
  return segments.every((segment) => SEGMENT.test(segment)) && !KEPT_OUT.has((segments[0] ?? "").toLowerCase());
}

const path = z
  .string()
  .refine(isCachePath, "is a folder of the agent's home such as ~/.npm, and none of those that hold keys or settings");

export const cacheSchema = z.strictObject({
  paths: z.array(path).min(1).max(MAX_PATHS),
  /** Run on the default branch alone. */
  fill: z.array(command).min(1).max(MAX_FILL_COMMANDS),
});

export type Cache = z.infer<typeof cacheSchema>;

/** Below the home, as in the cache's archive. */
export const belowHome = (cachePath: string): string => cachePath.slice(2).replace(/\/$/, "");

const LOCK_FILES: ReadonlySet<string> = new Set([
  ...["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"],
  ...["requirements.txt", "Pipfile.lock", "poetry.lock", "uv.lock", "pdm.lock", "pixi.lock"],
  ...["go.sum", "go.work.sum", "Cargo.lock", "Gemfile.lock", "composer.lock", "mix.lock", "pubspec.lock"],
  ...["pom.xml", "gradle.lockfile", "libs.versions.toml", "packages.lock.json", "Package.resolved", "Podfile.lock"],
]);

/** Whether the file pins what a repository downloads. */
export const isLockFile = (file: string): boolean => LOCK_FILES.has(file.slice(file.lastIndexOf("/") + 1));
