/**
 * Objects of one bare repository, written and read in this process as loose files: a REST write then costs a file,
 * not a `git` process. Pushes arrive as loose objects too (`receive.unpackLimit` in `git-store.ts`), so there are no packs.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { LRUCache } from "lru-cache";

export type ObjectType = "blob" | "tree" | "commit" | "tag";

export interface GitObject {
  readonly type: ObjectType;
  readonly data: Buffer;
}

/** Objects never change, so they can be cached; the limit is only for memory. */
const CACHED_BYTES = 16 * 1024 * 1024;
const isType = (text: string): text is ObjectType => ["blob", "tree", "commit", "tag"].includes(text);

export class GitObjects {
  readonly #folder: string;
  readonly #cache = new LRUCache<string, GitObject>({
    maxSize: CACHED_BYTES,
    sizeCalculation: (object) => object.data.length + 100,
  });

  constructor(gitFolder: string) {
    this.#folder = join(gitFolder, "objects");
  }

  write(type: ObjectType, data: Buffer): string {
    const whole = Buffer.concat([Buffer.from(`${type} ${data.length}\0`), data]);
    const sha = createHash("sha1").update(whole).digest("hex");
    const folder = join(this.#folder, sha.slice(0, 2));
    const path = join(folder, sha.slice(2));
    if (existsSync(path)) return sha;
    mkdirSync(folder, { recursive: true });
    const temporary = join(folder, `tmp_${randomBytes(6).toString("hex")}`);
    writeFileSync(temporary, deflateSync(whole, { level: 1 }), { mode: 0o444 });
    renameSync(temporary, path);
    this.#cache.set(sha, { type, data });
    return sha;
  }

  read(sha: string): GitObject | undefined {
    if (!/^[0-9a-f]{40}$/.test(sha)) return undefined;
    const cached = this.#cache.get(sha);
    if (cached) return cached;
    const path = join(this.#folder, sha.slice(0, 2), sha.slice(2));
    if (!existsSync(path)) return undefined;
    const whole = inflateSync(readFileSync(path));
    const end = whole.indexOf(0);
    const type = whole.toString("latin1", 0, whole.indexOf(32));
    if (!isType(type)) throw new Error(`object ${sha} has the unknown type ${type}`);
    const object = { type, data: whole.subarray(end + 1) };
    this.#cache.set(sha, object);
    return object;
  }
}
