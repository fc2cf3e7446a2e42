/** What stands for repositories' own images and set-up actions; made once, and kept beside the engine. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { outputOrNull } from "./build-images.ts";

/** Whether this machine can make them. */
export const canMakeToolchains = process.getuid?.() === 0 && outputOrNull("debootstrap", "--version") !== null;

export interface Toolchains {
  /** Debian 12 with Go, Java, Python and Ruby. */
  readonly debian: string;
  /** musl and busybox, and no other C library. */
  readonly musl: string;
  /** A runner's tool cache with the same four. */
  readonly cache: string;
}

export function makeToolchains(): Toolchains {
  const script = join(import.meta.dirname, "toolchains.sh");
  const printed = execFileSync("bash", [script], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const [debian = "", musl = "", cache = ""] = printed.trim().split("\n");
  return { debian, musl, cache };
}

/** The folders of the tools, by the cache's name of each. */
export function toolsIn(cache: string): Readonly<Record<string, string>> {
  const only = (folder: string): string => join(folder, readdirSync(folder)[0] ?? "");
  return Object.fromEntries(
    readdirSync(cache)
      .filter((tool) => !tool.startsWith("."))
      .map((tool) => [tool, only(only(join(cache, tool)))]),
  );
}
