/** Rules that want verified signatures on the commits of a branch: what GitHub refuses under them. */
import type { Commit } from "./git-commits.ts";
import type { MergeMethod, Repository } from "./model.ts";

/** A rule names a branch, or with `/**` all below a folder. */
export const wantsSignatures = ({ signedBranches }: Repository, branch: string): boolean =>
  [...signedBranches].some((name) =>
    name.endsWith("/**") ? branch.startsWith(name.slice(0, -"**".length)) : branch === name,
  );

export const VIOLATION = "Repository rule violations found\n\nCommits must have verified signatures.\n\n";

/** Commits that would become new on a branch and are not signed; those of the default branch are on it already. */
function unsigned({ git, verifiedCommits, defaultBranch }: Repository, before: string | undefined, after: string) {
  const known = git.branch(defaultBranch);
  return git
    .between(before ?? known, after)
    .filter(({ sha }: Commit) => !verifiedCommits.has(sha) && (known === undefined || !git.isAncestor(sha, known)));
}

/** GitHub's sentence where such a ref may not point there; undefined when it may. */
export function unsignedRef(
  repository: Repository,
  ref: string,
  before: string | undefined,
  after: string,
): string | undefined {
  const branch = ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : undefined;
  if (branch === undefined || !wantsSignatures(repository, branch)) return undefined;
  const [first] = unsigned(repository, before, after);
  return first === undefined ? undefined : `${VIOLATION}${first.sha}`;
}

/** A squash is signed by GitHub; a rebase loses signatures; a merge brings the commits as they are. */
export function unsignedMerge(
  repository: Repository,
  base: string,
  head: string,
  method: MergeMethod,
): string | undefined {
  if (!wantsSignatures(repository, base) || method === "squash") return undefined;
  const found = unsigned(repository, repository.git.branch(base), head);
  return method === "rebase" || found.length > 0 ? VIOLATION.trim() : undefined;
}

/** What the hooks of a push read: refs as shell patterns, and the commits that count as signed. */
export const signatureEnvironment = ({ signedBranches }: Repository, verifiedFile: string): Record<string, string> => ({
  SANDBOX_SIGNED: [...signedBranches].map((name) => `refs/heads/${name.replace(/\*\*$/, "*")}`).join(" "),
  SANDBOX_VERIFIED: verifiedFile,
});
