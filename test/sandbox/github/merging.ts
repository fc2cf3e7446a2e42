/** Creates test merges, merge commits, squashes and rebases in git. Moves no refs and sends no events. */
import type { Signature } from "./git-commits.ts";
import type { GitStore } from "./git-store.ts";
import type { MergeMethod } from "./model.ts";

/** The tree that merging produces, or undefined on a conflict. */
export async function mergedTree(git: GitStore, base: string, head: string): Promise<string | undefined> {
  if (git.isAncestor(base, head)) return git.commit(head)?.tree;
  const { code, stdout, stderr } = await git.run(
    "merge-tree",
    "--write-tree",
    "--allow-unrelated-histories",
    base,
    head,
  );
  if (code > 1) throw new Error(`git merge-tree failed: ${stderr}`);
  return code === 0 ? stdout.trim() : undefined;
}

export interface MergeText {
  readonly message: string;
  readonly author: Signature;
  readonly committer: Signature;
}

/** The new commit of the base branch, or undefined on a conflict. */
export async function mergeCommit(
  git: GitStore,
  method: MergeMethod,
  { base, head }: { base: string; head: string },
  text: MergeText,
): Promise<string | undefined> {
  if (method === "rebase") return rebased(git, base, head, text.committer);
  const tree = await mergedTree(git, base, head);
  if (tree === undefined) return undefined;
  const parents = method === "merge" ? [base, head] : [base];
  return git.writeCommit({ tree, parents, ...text });
}

/** Cherry-picks each commit onto the base: merges it with a copy of its parent as common ancestor. */
async function rebased(git: GitStore, base: string, head: string, committer: Signature): Promise<string | undefined> {
  let tip = base;
  for (const commit of git.between(base, head)) {
    const [parent] = commit.parents;
    if (commit.parents.length > 1) continue;
    const before = parent ? git.commit(parent)?.tree : undefined;
    const scratch = (tree: string, parents: string[]) =>
      git.writeCommit({ tree, parents, author: committer, committer, message: "pick" });
    const ancestor = scratch(before ?? git.editTree(undefined, new Map()), []);
    const ours = scratch(git.commit(tip)?.tree ?? "", [ancestor]);
    const tree = await mergedTree(git, ours, scratch(commit.tree, [ancestor]));
    if (tree === undefined) return undefined;
    tip = git.writeCommit({ tree, parents: [tip], author: commit.author, committer, message: commit.message });
  }
  return tip;
}
