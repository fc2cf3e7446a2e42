/**
 * Files that the repository keeps in Git LFS. The checkout holds their pointers; a file that the agent wrote in place of
 * one is stored as LFS stores it where the runner has git-lfs, and refused in words where it has not.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../src/wire/secret.ts";
import { lastWords, succeeded } from "./command.ts";
import { changedPaths } from "./forbidden.ts";
import type { Git } from "./git.ts";
import { asWord } from "./summary.ts";

const POINTER = "version https://git-lfs.github.com/spec/v1\n";
const POINTER_LIMIT = 1_024;
const MOST_NAMED = 10;
const UPLOAD_LIMIT_MS = 90_000;
const CLEAN_LIMIT_MS = 60_000;

/** Staged files that belong into LFS and are not pointers. */
export async function rawLfsFiles(git: Git, reference: string): Promise<string[]> {
  const changed = await changedPaths(git, reference);
  if (changed.length === 0) return [];
  const answer = await git.run(["check-attr", "--cached", "-z", "--stdin", "filter"], { input: changed.join("\0") });
  const words = answer.toString("utf8").split("\0");
  const kept = words.flatMap((word, at) => (at % 3 === 2 && word === "lfs" ? [words[at - 2] ?? ""] : []));
  const raw: string[] = [];
  for (const path of kept) if (!(await isPointer(git, path))) raw.push(path);
  return raw;
}

/** Or nothing at all: deleted, a link, a folder. */
async function isPointer(git: Git, path: string): Promise<boolean> {
  const entry = await git.text(["--literal-pathspecs", "ls-files", "--stage", "--", path]);
  if (!entry.startsWith("100")) return true;
  const size = Number(await git.text(["cat-file", "-s", `:${path}`]));
  if (size === 0) return true;
  return size < POINTER_LIMIT && (await git.text(["cat-file", "blob", `:${path}`])).startsWith(POINTER.trim());
}

/** For git as it stages: what `git lfs install` writes into a configuration. */
const FILTER: readonly (readonly [string, string])[] = [
  ["filter.lfs.clean", "git-lfs clean -- %f"],
  ["filter.lfs.required", "true"],
];

export interface LfsPorts {
  readonly token: Secret;
  /** Of the repository on the server, with `.git`. */
  readonly url: string;
}

/** Stores the files as LFS does and uploads them; null when that is done, else why not. */
export async function storeInLfs(git: Git, paths: readonly string[], { token, url }: LfsPorts): Promise<string | null> {
  if (!(await git.holds(["lfs", "version"]))) return "the runner has no git-lfs";
  // The work may bring an .lfsconfig that leads elsewhere: what is said here counts more.
  const places = ["lfs.url", "lfs.pushurl", "remote.origin.lfsurl", "remote.origin.lfspushurl"];
  const lfs = [
    ...places.map((key) => [key, `${url}/info/lfs`] as const),
    ["lfs.storage", join(git.repository.folder, "lfs")],
    ["lfs.locksverify", "false"],
  ] as const;
  mkdirSync(join(git.repository.folder, "lfs"), { recursive: true });
  const config = [...FILTER, ...lfs];
  const staged = await git.try(
    ["--literal-pathspecs", "add", "-f", "--sparse", "--renormalize", "--pathspec-from-file=-", "--pathspec-file-nul"],
    { input: paths.join("\0"), config, limitMs: CLEAN_LIMIT_MS },
  );
  if (!succeeded(staged)) return `git-lfs could not store them: ${lastWords(staged)}`;
  const ids: string[] = [];
  for (const path of paths) {
    const id = /^oid sha256:([0-9a-f]{64})$/m.exec(await git.text(["cat-file", "blob", `:${path}`]))?.[1];
    if (id === undefined) return "git-lfs made no pointers of them";
    ids.push(id);
  }
  const sent = await git.try(["lfs", "push", "--object-id", "origin", ...new Set(ids)], {
    token,
    config,
    limitMs: UPLOAD_LIMIT_MS,
  });
  return succeeded(sent) ? null : `git-lfs could not upload them: ${lastWords(sent)}`;
}

export const lfsRefusal = (paths: readonly string[], why: string): string =>
  `The work changes ${paths.slice(0, MOST_NAMED).map(asWord).join(", ")}${paths.length > MOST_NAMED ? " and others" : ""}, ` +
  `which this repository keeps in Git LFS, and ${why}: run jobs on a runner with git-lfs, or leave those files as they are.`;
