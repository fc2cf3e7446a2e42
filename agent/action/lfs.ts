/**
 * Handles files that the repository keeps in Git LFS. The checkout holds their pointers. A file that the agent wrote in
 * place of a pointer is stored in LFS if the runner has git-lfs, and rejected otherwise.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../src/contracts/secret.ts";
import { objectsIn } from "../git-objects.ts";
import { changedPaths } from "./forbidden-paths.ts";
import { attributesOf, type Git } from "./git.ts";
import { errorTail, succeeded } from "./run-command.ts";
import { asWord } from "./summary.ts";

const POINTER = "version https://git-lfs.github.com/spec/v1\n";
const POINTER_LIMIT = 1_024;
const MAX_NAMED = 10;
/** Files that one job may store in LFS. */
const MAX_STORED = 1_000;
const INDEX_LIMIT = 512 * 1024 * 1024;
const UPLOAD_LIMIT_MS = 90_000;
const CLEAN_LIMIT_MS = 60_000;

/** Paths whose attributes name LFS. */
export async function lfsPaths(git: Git, paths: readonly string[], ...flags: readonly "--cached"[]): Promise<string[]> {
  const filters = paths.length === 0 ? [] : await attributesOf(git, "filter", paths, ...flags);
  return [...filters].flatMap(([path, filter]) => (filter === "lfs" ? [path] : []));
}

/** Staged files that belong in LFS and are not pointers. */
export async function rawLfsFiles(git: Git, reference: string): Promise<string[]> {
  const kept = await lfsPaths(git, await changedPaths(git, reference), "--cached");
  if (kept.length === 0) return [];
  const blobs = await stagedBlobs(git, kept);
  const pointers = await pointersOf(git, [...new Set(blobs.values())]);
  return [...blobs].flatMap(([path, id]) => (pointers.has(id) ? [] : [path]));
}

/** By path, without deleted paths, links and folders. */
async function stagedBlobs(git: Git, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const asked = new Set(paths);
  const entries = await git.list(["ls-files", "--stage", "-z"], { outputLimit: INDEX_LIMIT });
  return new Map(
    entries.flatMap((entry) => {
      const [, id, path] = /^100\d+ ([0-9a-f]+) 0\t([\s\S]+)$/.exec(entry) ?? [];
      return id !== undefined && path !== undefined && asked.has(path) ? [[path, id]] : [];
    }),
  );
}

/** The blobs that are pointers, with the object that each names. An empty file is its own pointer. */
async function pointersOf(git: Git, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const sizes = (
    await git.text(["cat-file", "--batch-check=%(objectname) %(objectsize)"], {
      input: `${ids.join("\n")}\n`,
      outputLimit: INDEX_LIMIT,
    })
  ).split("\n");
  const pointers = new Map<string, string>();
  const small: string[] = [];
  for (const row of sizes) {
    const [id = "", size] = row.split(" ");
    if (size === "0") pointers.set(id, "");
    else if (Number(size) < POINTER_LIMIT) small.push(id);
  }
  const texts = await git.run(["cat-file", "--batch"], {
    input: small.map((id) => `${id}\n`).join(""),
    outputLimit: INDEX_LIMIT,
  });
  for (const [at, object] of objectsIn(texts).entries())
    if (object?.text.startsWith(POINTER))
      pointers.set(small[at] ?? "", /^oid sha256:([0-9a-f]{64})$/m.exec(object.text)?.[1] ?? "");
  return pointers;
}

/** The configuration that `git lfs install` writes. */
const FILTER: readonly (readonly [string, string])[] = [
  ["filter.lfs.process", "git-lfs filter-process"],
  ["filter.lfs.clean", "git-lfs clean -- %f"],
  ["filter.lfs.required", "true"],
];

export interface LfsPorts {
  readonly token: Secret;
  /** The repository's URL, with `.git`. */
  readonly url: string;
}

/** Stores and uploads the files; returns null, or why it failed. */
export async function storeInLfs(git: Git, paths: readonly string[], { token, url }: LfsPorts): Promise<string | null> {
  if (paths.length > MAX_STORED) return `there are more than ${MAX_STORED} of them`;
  if (!(await git.succeeds(["lfs", "version"]))) return "the runner has no git-lfs";
  // An .lfsconfig in the work could name another server; these settings override it.
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
  if (!succeeded(staged)) {
    git.unlock();
    return `git-lfs could not store them: ${errorTail(staged)}`;
  }
  const blobs = [...new Set((await stagedBlobs(git, paths)).values())];
  const ids = [...(await pointersOf(git, blobs)).values()].filter((id) => id !== "");
  if (ids.length < blobs.length) return "git-lfs did not turn them into pointers";
  const sent = await git.try(["lfs", "push", "--object-id", "origin", ...new Set(ids)], {
    token,
    config,
    limitMs: UPLOAD_LIMIT_MS,
  });
  return succeeded(sent) ? null : `git-lfs could not upload them: ${errorTail(sent)}`;
}

export const lfsRefusal = (paths: readonly string[], why: string): string =>
  `The work changes ${paths.slice(0, MAX_NAMED).map(asWord).join(", ")}${paths.length > MAX_NAMED ? " and others" : ""}, ` +
  `which this repository keeps in Git LFS, and ${why}: run jobs on a runner with git-lfs, or leave those files as they are.`;
