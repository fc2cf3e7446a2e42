/**
 * Compiles the sources once before tests that start programs: a loader that compiles at every start would cost more
 * than what the programs do. Tests that are about the sources' own start do not use this.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PROJECT = join(import.meta.dirname, "..");
/** Below node_modules, so that the compiled programs find their packages and git does not see them. */
const BUILD = join(PROJECT, "node_modules", ".cache", "journeyman-tests");

/** Says of which sources the build was made: each project of the tests asks for it, and the first makes it. */
const STAMP = join(BUILD, "made-of.txt");
const CONFIGURATION = ["tsconfig.json", "tsconfig.build.json", "package-lock.json"];

function digestOfSources(): string {
  const below = (folder: string): string[] =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name));
  const digest = createHash("sha256");
  for (const name of [...CONFIGURATION, ...below("src").sort(), ...below("agent").sort()])
    digest
      .update(`${name}\0`)
      .update(readFileSync(join(PROJECT, name)))
      .update("\0");
  return digest.digest("hex");
}

export function setup(): void {
  const sources = digestOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources) return;
  // whole, so that nothing stays of sources that are gone
  rmSync(BUILD, { recursive: true, force: true });
  const tsc = join(PROJECT, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-p", join(PROJECT, "tsconfig.build.json"), "--outDir", BUILD]);
  writeFileSync(STAMP, sources);
}

/** The command that starts a compiled program of this project, named by its source. */
export const builtProgram = (path: string): string[] => [process.execPath, join(BUILD, path.replace(/\.ts$/, ".js"))];
