/** Names of caches: of what fills them, and of the lock files that they belong to. */
import { createHash } from "node:crypto";
import { type Cache, isLockFile } from "../../src/contracts/cache.ts";
import type { Container } from "../../src/contracts/container.ts";
import type { Git } from "./git.ts";

const LIST_LIMIT = 64 * 1024 * 1024;

export interface CacheKeys {
  readonly key: string;
  /** A cache of other lock files is better than none. */
  readonly prefix: string;
}

const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 20);

export interface CacheSource {
  readonly cache: Cache;
  readonly container: Container | null;
  /** The agent's. */
  readonly image: string;
}

/** By the lock files of this commit, wherever they lie. */
export async function cacheKeysOf(git: Git, sha: string, { cache, container, image }: CacheSource): Promise<CacheKeys> {
  const entries = await git.list(["ls-tree", "-r", "-z", sha], { outputLimit: LIST_LIMIT });
  const locks = entries.filter((entry) => isLockFile(entry.slice(entry.indexOf("\t") + 1)));
  const place = digest([cache, container?.image ?? image, container?.setup ?? []]);
  const prefix = `journeyman-${process.platform}-${process.arch}-${place}-`;
  return { key: `${prefix}${digest(locks)}`, prefix };
}
