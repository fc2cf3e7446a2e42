/**
 * One real bare repository with the git operations that the sandbox needs. Objects and refs are handled in this process
 * (`git-objects.ts`); merges and patches use the git CLI. `ref-changes.ts` sends the events.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GitResult, git } from "./git-command.ts";
import { type Commit, commitsBetween, isAncestor, readCommit, type Signature, writeCommit } from "./git-commits.ts";
import { GitObjects } from "./git-objects.ts";
import { GitRefs } from "./git-refs.ts";
import { compareTrees, editTree, type FileEntry, findInTree, listTree, type TreeChange } from "./git-trees.ts";

/** Pushed objects must stay loose, or this process could not read them. */
const CONFIG = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
[http]
\treceivepack = true
[receive]
\tunpackLimit = 10000000
\tautogc = false
[transfer]
\tunpackLimit = 10000000
[gc]
\tauto = 0
[uploadpack]
\tallowFilter = true
\tallowReachableSHA1InWant = true
`;

/** Reports what a push changed: one line per ref, in the file that the push's environment names. */
const POST_RECEIVE_HOOK = `#!/bin/sh
exec cat > "$SANDBOX_PUSHED"
`;

/** GitHub's rules for pushes; the push's environment tells which apply (see `git-http.ts`). */
const UPDATE_HOOK = `#!/bin/sh
ref="$1"; old="$2"; new="$3"
zero=0000000000000000000000000000000000000000
for protected in $SANDBOX_PROTECTED; do
  if [ "$ref" = "$protected" ]; then
    echo "error: GH006: Protected branch update failed for $ref." >&2
    echo "error: Changes must be made through a pull request." >&2
    exit 1
  fi
done
set -f
for pattern in $SANDBOX_SIGNED; do
  case "$ref" in $pattern)
    [ "$new" = "$zero" ] && break
    for commit in $(git rev-list "$new" --not --all); do
      grep -q "^$commit$" "$SANDBOX_VERIFIED" && continue
      echo "error: GH013: Repository rule violations found for $ref." >&2
      echo "Review all repository rules at https://github.com/octo/demo/rules" >&2
      echo "- Commits must have verified signatures." >&2
      echo "  Found 1 violation:" >&2
      echo "  $commit" >&2
      exit 1
    done;;
  esac
done
case "$ref" in refs/pull/*) echo "error: deny updating a hidden ref" >&2; exit 1;; esac
if [ "$SANDBOX_WORKFLOWS" = deny ] && [ "$new" != "$zero" ]; then
  for commit in $(git rev-list "$new" --not --all); do
    # of a merge what is as in none of its parents, such as a file that was merged by lines
    file=$(git diff-tree --no-commit-id --name-only -c -r --root "$commit" -- .github/workflows | head -n 1)
    if [ -n "$file" ]; then
      echo "refusing to allow a GitHub App to create or update workflow \\\`$file\\\` without \\\`workflows\\\` permission" >&2
      exit 1
    fi
  done
fi
exit 0
`;

export interface PatchedFile {
  readonly filename: string;
  readonly status: "added" | "modified" | "removed";
  readonly additions: number;
  readonly deletions: number;
  readonly patch: string;
  readonly sha: string;
}

export class GitStore {
  readonly folder: string;
  readonly objects: GitObjects;
  readonly refs: GitRefs;
  readonly #patches = new Map<string, Promise<readonly PatchedFile[]>>();

  constructor(folder: string, defaultBranch: string) {
    this.folder = folder;
    for (const name of ["objects", "refs/heads", "refs/tags", "hooks"])
      mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "HEAD"), `ref: refs/heads/${defaultBranch}\n`);
    writeFileSync(join(folder, "config"), CONFIG);
    writeFileSync(join(folder, "hooks", "update"), UPDATE_HOOK, { mode: 0o755 });
    writeFileSync(join(folder, "hooks", "post-receive"), POST_RECEIVE_HOOK, { mode: 0o755 });
    this.objects = new GitObjects(folder);
    this.refs = new GitRefs(folder);
  }

  run(...args: readonly string[]): Promise<GitResult> {
    return git(this.folder, args);
  }

  isEmpty(): boolean {
    return this.refs.list("refs/heads/").size === 0;
  }

  branch(name: string): string | undefined {
    return this.refs.get(`refs/heads/${name}`);
  }

  /** Resolves a SHA, branch, tag or full ref to a commit. */
  resolve(revision: string): string | undefined {
    const found =
      this.refs.get(revision) ??
      this.refs.get(`refs/${revision}`) ??
      this.branch(revision) ??
      this.refs.get(`refs/tags/${revision}`);
    return found ?? (this.commit(revision) ? revision : undefined);
  }

  commit(sha: string): Commit | undefined {
    return readCommit(this.objects, sha);
  }

  writeCommit(commit: Omit<Commit, "sha">): string {
    return writeCommit(this.objects, commit);
  }

  writeBlob(content: Buffer | string): string {
    return this.objects.write("blob", Buffer.isBuffer(content) ? content : Buffer.from(content));
  }

  blob(sha: string): Buffer | undefined {
    const object = this.objects.read(sha);
    return object?.type === "blob" ? object.data : undefined;
  }

  editTree(base: string | undefined, changes: ReadonlyMap<string, TreeChange>): string {
    return editTree(this.objects, base, changes);
  }

  /** Creates a commit that changes files on top of another; `null` removes a file. */
  commitFiles(
    parent: string | undefined,
    files: Readonly<Record<string, string | Buffer | null>>,
    { merged, ...who }: { author: Signature; committer: Signature; message: string; merged?: string | undefined },
  ): string {
    const changes = new Map<string, TreeChange>(
      Object.entries(files).map(([path, content]) => [
        path,
        content === null ? null : { mode: "100644", sha: this.writeBlob(content) },
      ]),
    );
    const tree = this.editTree(parent ? this.commit(parent)?.tree : undefined, changes);
    return this.writeCommit({ tree, parents: [parent, merged].filter((one) => one !== undefined), ...who });
  }

  find(revision: string, path: string): FileEntry | undefined {
    const sha = this.resolve(revision);
    const commit = sha ? this.commit(sha) : undefined;
    return commit ? findInTree(this.objects, commit.tree, path) : undefined;
  }

  readFile(revision: string, path: string): Buffer | undefined {
    const entry = this.find(revision, path);
    return entry ? this.blob(entry.sha) : undefined;
  }

  list(tree: string, recursive: boolean): FileEntry[] {
    return listTree(this.objects, tree, recursive);
  }

  /** Paths that differ between two commits (undefined: the empty tree). */
  changes(before: string | undefined, after: string | undefined) {
    const tree = (sha: string | undefined) => (sha ? this.commit(sha)?.tree : undefined);
    return compareTrees(this.objects, tree(before), tree(after));
  }

  isAncestor(ancestor: string, commit: string): boolean {
    return isAncestor(this.objects, ancestor, commit);
  }

  /** Commits of `head` that `base` lacks, oldest first. */
  between(base: string | undefined, head: string): Commit[] {
    return commitsBetween(this.objects, base, head);
  }

  async mergeBase(a: string, b: string): Promise<string | undefined> {
    // most branches are ahead of their base, and a git process is expensive
    if (this.isAncestor(a, b)) return a;
    if (this.isAncestor(b, a)) return b;
    const { code, stdout } = await this.run("merge-base", a, b);
    return code === 0 ? stdout.trim() : undefined;
  }

  /** About two commits, which never change, so results are cached. */
  patches(before: string, after: string): Promise<readonly PatchedFile[]> {
    const key = `${before} ${after}`;
    const known = this.#patches.get(key) ?? this.#diff(before, after);
    this.#patches.set(key, known);
    return known;
  }

  async #diff(before: string, after: string): Promise<readonly PatchedFile[]> {
    const { stdout } = await this.run(
      "diff",
      "--no-color",
      "--no-ext-diff",
      "--no-renames",
      "--full-index",
      before,
      after,
    );
    return stdout === "" ? [] : stdout.split(/^(?=diff --git )/m).map(parsePatch);
  }
}

function parsePatch(text: string): PatchedFile {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith("@@"));
  const body = start < 0 ? [] : lines.slice(start);
  const name = /^diff --git "?a\/(.*?)"? "?b\//.exec(lines[0] ?? "")?.[1] ?? "";
  const status = lines.some((line) => line.startsWith("new file"))
    ? "added"
    : lines.some((line) => line.startsWith("deleted file"))
      ? "removed"
      : "modified";
  return {
    filename: name,
    status,
    additions: body.filter((line) => line.startsWith("+")).length,
    deletions: body.filter((line) => line.startsWith("-")).length,
    patch: body.join("\n").replace(/\n$/, ""),
    sha: /^index [0-9a-f]+\.\.([0-9a-f]+)/m.exec(text)?.[1] ?? "",
  };
}
