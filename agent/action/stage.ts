/**
 * Puts what the agent left into the index of this step's own repository. One file that git cannot take (an encoding that
 * it does not have, no right to read it, a name that is not allowed) keeps none of the others out.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastWords, runCommand, succeeded } from "./command.ts";
import { type Git, GitFailure } from "./git.ts";

const ADD_LIMIT_MS = 90_000;
const LIST_LIMIT = 64 * 1024 * 1024;
/** Files that are tried one by one; beyond that, all that are left are taken as they are. */
const MOST_ALONE = 100;
/** The job's own folder is never the agent's to change. */
const WHOLE = ["--", ".", ":(exclude,top).jobs"];

/** Removes every repository below the workspace, the agent's own and those that it made or fetched. */
export async function removeRepositories({ repository }: Git, limitMs: number): Promise<void> {
  const { workTree, environment } = repository;
  const args = [workTree, "-name", ".git", "-prune", "-exec", "rm", "-rf", "--", "{}", "+"];
  const ran = await runCommand("find", args, { env: environment, limitMs });
  if (!succeeded(ran)) throw new GitFailure(`the agent's repository could not be removed: ${lastWords(ran)}`);
}

/** Answers the files that are left out. */
export async function stageAll(git: Git): Promise<readonly string[]> {
  const all = await git.try(["add", "-A", "--sparse", ...WHOLE], { limitMs: ADD_LIMIT_MS });
  if (succeeded(all)) return [];
  const changed = await git.list(["diff-files", "--name-only", "--no-renames", "-z", ...WHOLE], {
    outputLimit: LIST_LIMIT,
  });
  const fresh = await git.list(["ls-files", "-z", "--others", "--exclude-per-directory=.gitignore", ...WHOLE], {
    outputLimit: LIST_LIMIT,
  });
  return new Staging(git).add([...new Set([...changed, ...fresh])]);
}

class Staging {
  readonly #git: Git;
  #alone = 0;

  constructor(git: Git) {
    this.#git = git;
  }

  /** Halves the list until what git does not take stands alone. */
  async add(paths: readonly string[]): Promise<string[]> {
    if (paths.length === 0 || (await this.#taken(paths))) return [];
    if (paths.length === 1 || this.#alone >= MOST_ALONE) return this.#addAsTheyAre(paths);
    const half = Math.ceil(paths.length / 2);
    return [...(await this.add(paths.slice(0, half))), ...(await this.add(paths.slice(half)))];
  }

  /** Without the encodings that attributes name. */
  async #addAsTheyAre(paths: readonly string[]): Promise<string[]> {
    this.#alone += paths.length;
    const info = join(this.#git.repository.folder, "info");
    mkdirSync(info, { recursive: true });
    writeFileSync(join(info, "attributes"), "* !working-tree-encoding\n");
    const ok = await this.#taken(paths, "--ignore-errors");
    rmSync(join(info, "attributes"));
    if (ok) return [];
    if (paths.length === 1) return [...paths];
    return this.#git.list(["ls-files", "-z", "--modified", "--others", "--exclude-per-directory=.gitignore", ...WHOLE]);
  }

  async #taken(paths: readonly string[], ...flags: string[]): Promise<boolean> {
    const args = [
      "--literal-pathspecs",
      "add",
      "-A",
      "--sparse",
      ...flags,
      "--pathspec-from-file=-",
      "--pathspec-file-nul",
    ];
    return succeeded(await this.#git.try(args, { input: paths.join("\0"), limitMs: ADD_LIMIT_MS }));
  }
}
