/**
 * Asks git about the checkout: which files the work changed, and the content of files in a commit. Read-only; the agent
 * neither commits nor pushes.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type GitObject, objectsIn } from "./git-objects.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT = 8 * 1024 * 1024;

export interface Checkout {
  readonly workspace: string;
  /** The shell's environment, since git runs programs that the repository's configuration names. */
  readonly environment: Readonly<Record<string, string>>;
}

async function git({ workspace, environment }: Checkout, ...args: string[]): Promise<string | null> {
  const options = { cwd: workspace, env: { ...environment }, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT };
  return run("git", args, options).then(
    ({ stdout }) => stdout,
    () => null,
  );
}

/**
 * The objects of these names, from one process; null for a missing one. Links are followed inside of a tree, and not out
 * of it, since they then name a file of this machine. Whatever stands behind more than 8 MB is missing too.
 */
export async function objectsAt(
  { workspace, environment }: Checkout,
  names: readonly string[],
): Promise<(GitObject | null)[]> {
  const options = { cwd: workspace, env: { ...environment }, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT };
  const running = run("git", ["cat-file", "--batch", "--follow-symlinks"], { ...options, encoding: "buffer" });
  // git ends without reading when there is no repository.
  running.child.stdin?.on("error", () => {});
  running.child.stdin?.end(names.map((name) => `${name}\n`).join(""));
  const answer = await running.catch(({ stdout }: { readonly stdout: Buffer }) => ({ stdout }));
  const objects = objectsIn(answer.stdout);
  return names.map((_, at) => objects[at] ?? null);
}

/** Paths of the files in these folders of a commit; each ends with a slash, and the top is `./`. */
export async function pathsAt(checkout: Checkout, sha: string, folders: readonly string[]): Promise<string[]> {
  const listed = await git(checkout, "ls-tree", "-z", "--name-only", sha, "--", ...folders);
  return (listed ?? "").split("\0");
}

/** Changed, new and deleted paths since `start`, including commits of the model; null when git cannot tell. */
export async function changedFiles(checkout: Checkout, start: string): Promise<string[] | null> {
  const tracked = await git(checkout, "diff", "--name-only", "-z", "--no-ext-diff", start);
  // Applies only the checkout's own .gitignore files, as the push will.
  const fresh = await git(checkout, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore");
  if (tracked === null || fresh === null) return null;
  const paths = `${tracked}${fresh}`.split("\0").filter((path) => path !== "" && !path.startsWith(".jobs/"));
  return [...new Set(paths)].sort();
}
