/**
 * Asks git about the checkout: which files the work changed, and the content of files in a commit. Read-only; the agent
 * neither commits nor pushes.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

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

export const hasCommit = async (checkout: Checkout, sha: string): Promise<boolean> =>
  (await git(checkout, "cat-file", "-e", `${sha}^{commit}`)) !== null;

const FILE_ANSWER = /^[0-9a-f]{40,64} blob \d+\n/;

/**
 * A file's text in a commit, following links inside the tree; null when missing. A link that leaves the tree is not
 * followed, since it names a file of this machine.
 */
export async function fileAt({ workspace, environment }: Checkout, sha: string, path: string): Promise<string | null> {
  const options = { cwd: workspace, env: { ...environment }, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT };
  const running = run("git", ["cat-file", "--batch", "--follow-symlinks"], options);
  // git ends without reading when there is no repository.
  running.child.stdin?.on("error", () => {});
  running.child.stdin?.end(`${sha}:${path}\n`);
  const answer = await running.then(
    ({ stdout }) => stdout,
    () => "",
  );
  return FILE_ANSWER.test(answer) ? answer.slice(answer.indexOf("\n") + 1, -1) : null;
}

/** Names of the files in a folder of a commit, which ends with a slash or is empty for the top. */
export async function namesAt(checkout: Checkout, sha: string, folder: string): Promise<string[]> {
  const listed = await git(checkout, "ls-tree", "-z", "--name-only", sha, ...(folder === "" ? [] : ["--", folder]));
  return (listed ?? "").split("\0").flatMap((path) => (path === "" ? [] : [path.slice(folder.length)]));
}

/** The commit that the work starts from; null when there is no repository. */
export async function headCommit(checkout: Checkout): Promise<string | null> {
  const head = await git(checkout, "rev-parse", "--verify", "HEAD");
  return head === null ? null : head.trim();
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
