/**
 * Bundles the programs once for the tests that start them: bundles start faster than sources, and are what is shipped.
 * Tests about starting from the sources do not use this.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUNDLES, bundlePrograms, type Programs } from "../esbuild.config.ts";

const PROJECT = join(import.meta.dirname, "..");
/** Where git does not see them. */
const BUILD = join(PROJECT, "node_modules", ".cache", "journeyman-tests");

/** Says of which sources the build was made: each project of the tests asks for it, and the first makes it. */
const STAMP = join(BUILD, "made-of.txt");
const FOLDERS = ["src", "agent", "test/sandbox"];

/** What is shipped, and the program of the sandbox that jobs start most often. */
const BUILT: Readonly<Record<string, Programs>> = {
  ...BUNDLES,
  sandbox: { programs: { "docker-shim": "test/sandbox/actions/docker-shim.ts" } },
};

function digestOfSources(): string {
  const below = (folder: string): string[] =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name));
  const digest = createHash("sha256");
  for (const name of ["package-lock.json", "esbuild.config.ts", ...FOLDERS.flatMap((folder) => below(folder).sort())])
    digest
      .update(`${name}\0`)
      .update(readFileSync(join(PROJECT, name)))
      .update("\0");
  return digest.digest("hex");
}

/** Where what is called so in the table of bundles was built. */
export const builtFolder = (name: string): string => join(BUILD, name);

export async function setup(): Promise<void> {
  const sources = digestOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources) return;
  // whole, so that nothing stays of sources that are gone
  rmSync(BUILD, { recursive: true, force: true });
  for (const [name, programs] of Object.entries(BUILT)) await bundlePrograms(programs, builtFolder(name));
  writeFileSync(STAMP, sources);
}

/** The command that starts a program of this project, named by its source; from the source where it is not built. */
export function builtProgram(path: string): string[] {
  for (const [name, { programs }] of Object.entries(BUILT)) {
    for (const [program, source] of Object.entries(programs))
      if (source === path) return [process.execPath, join(builtFolder(name), `${program}.js`)];
  }
  return [process.execPath, join(PROJECT, path)];
}
