/** What GitHub's cache service keeps: a run saves on its own branch, and sees its own and the default branch's caches. */
import { randomBytes } from "node:crypto";
import type { RunIdentity } from "../ports.ts";

interface Entry {
  /** Of upload and download. */
  readonly secret: string;
  readonly repository: number;
  readonly ref: string;
  readonly key: string;
  readonly version: string;
  data: Buffer | undefined;
  finalized: boolean;
}

type About = Pick<Entry, "repository" | "ref" | "key" | "version">;

export class Caches {
  readonly #grants = new Map<string, RunIdentity>();
  readonly #entries: Entry[] = [];

  /** Lets one job of a run use the service until {@link close}. */
  open(identity: RunIdentity): string {
    const token = randomBytes(96).toString("base64url");
    this.#grants.set(token, identity);
    return token;
  }

  close(token: string): void {
    this.#grants.delete(token);
  }

  identity(token: string): RunIdentity | undefined {
    return this.#grants.get(token);
  }

  /** Undefined: there is one of this key on this branch. */
  create(about: About): Entry | undefined {
    const there = this.#entries.some(
      ({ repository, ref, key, version }) =>
        repository === about.repository && ref === about.ref && key === about.key && version === about.version,
    );
    if (there) return undefined;
    const entry = { ...about, secret: randomBytes(24).toString("hex"), data: undefined, finalized: false };
    this.#entries.push(entry);
    return entry;
  }

  bySecret(secret: string): Entry | undefined {
    return this.#entries.find((entry) => entry.secret === secret);
  }

  /** The entry that a run on this branch has begun to save. */
  begun(about: About): Entry | undefined {
    return this.#entries.findLast(
      ({ repository, ref, key, version, finalized }) =>
        !finalized &&
        repository === about.repository &&
        ref === about.ref &&
        key === about.key &&
        version === about.version,
    );
  }

  find({ repository, version }: About, keys: readonly string[], refs: readonly string[]): Entry | undefined {
    const seen = this.#entries.filter(
      (entry) => entry.finalized && entry.repository === repository && entry.version === version,
    );
    for (const ref of refs) {
      const here = seen.filter((entry) => entry.ref === ref);
      for (const key of keys) {
        const found =
          here.findLast((entry) => entry.key === key) ?? here.findLast((entry) => entry.key.startsWith(key));
        if (found) return found;
      }
    }
    return undefined;
  }

  /** For tests: branch and key of what is saved. */
  list(): { ref: string; key: string; bytes: number }[] {
    return this.#entries
      .filter(({ finalized }) => finalized)
      .map(({ ref, key, data }) => ({ ref, key, bytes: data?.length ?? 0 }));
  }
}
