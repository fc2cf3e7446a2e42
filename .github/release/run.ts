/** Runs a program to its end; a failure carries what it said. */
import { execFileSync } from "node:child_process";

export function output(folder: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}
