/**
 * Compiles the sources once before tests that start programs: a loader that compiles at every start would cost more
 * than what the programs do. Tests that are about the sources' own start do not use this.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const PROJECT = join(import.meta.dirname, "..");
/** Below node_modules, so that the compiled programs find their packages and git does not see them. */
const BUILD = join(PROJECT, "node_modules", ".cache", "journeyman-tests");

export function setup(): void {
  const tsc = join(PROJECT, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-p", join(PROJECT, "tsconfig.build.json"), "--outDir", BUILD]);
}

/** The command that starts a compiled program of this project, named by its source. */
export const builtProgram = (path: string): string[] => [process.execPath, join(BUILD, path.replace(/\.ts$/, ".js"))];
