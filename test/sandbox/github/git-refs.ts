/** Refs of one bare repository as files, changed the way git does it: lock file, then rename. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** `moved`: the ref was not what the caller expected. `blocked`: a name above or below it is taken, or it is locked. */
export type RefOutcome = "ok" | "moved" | "blocked";
export const ZERO = "0".repeat(40);

/** The rules of git-check-ref-format that matter for names people enter. */
export function isValidRef(ref: string): boolean {
  return (
    /^refs\/[^/]+\/./.test(ref) &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what git forbids.
    !/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/$|\.$|\.lock(?:\/|$)|(?:^|\/)\./.test(ref)
  );
}

export class GitRefs {
  readonly #folder: string;

  constructor(gitFolder: string) {
    this.#folder = gitFolder;
  }

  get(ref: string): string | undefined {
    if (!isValidRef(ref)) return undefined;
    const path = join(this.#folder, ref);
    if (!existsSync(path) || !statSync(path).isFile()) return undefined;
    return readFileSync(path, "latin1").trim();
  }

  /** `expected` undefined: any; ZERO: must not exist. */
  set(ref: string, sha: string, expected?: string): RefOutcome {
    const path = join(this.#folder, ref);
    try {
      mkdirSync(dirname(path), { recursive: true });
      if (existsSync(path) && statSync(path).isDirectory()) return "blocked";
      const lock = openSync(`${path}.lock`, "wx");
      try {
        writeSync(lock, `${sha}\n`);
      } finally {
        closeSync(lock);
      }
    } catch {
      return "blocked";
    }
    if (expected !== undefined && (this.get(ref) ?? ZERO) !== expected) {
      rmSync(`${path}.lock`);
      return "moved";
    }
    renameSync(`${path}.lock`, path);
    return "ok";
  }

  delete(ref: string): boolean {
    if (this.get(ref) === undefined) return false;
    const path = join(this.#folder, ref);
    rmSync(path);
    // Empty folders would block a later branch of their name.
    for (let folder = dirname(path); folder.split("/refs/")[1]?.includes("/"); folder = dirname(folder)) {
      if (readdirSync(folder).length > 0) break;
      rmdirSync(folder);
    }
    return true;
  }

  list(prefix = "refs/"): Map<string, string> {
    const found = new Map<string, string>();
    this.#collect("refs", found);
    return new Map([...found].filter(([ref]) => ref.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #collect(name: string, found: Map<string, string>): void {
    for (const entry of readdirSync(join(this.#folder, name), { withFileTypes: true })) {
      const ref = `${name}/${entry.name}`;
      if (entry.isDirectory()) this.#collect(ref, found);
      else if (!entry.name.endsWith(".lock")) found.set(ref, readFileSync(join(this.#folder, ref), "latin1").trim());
    }
  }
}
