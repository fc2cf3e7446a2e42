/**
 * The tags of a release. An action runs as its commit holds it, so the version's tag is on a commit that also holds the
 * bundles; no branch leads to it.
 */
import { isPreview } from "./facts.ts";
import { output } from "./run.ts";

/** As `esbuild.config.ts` writes them. */
export const BUNDLED = ["dist/action", ".github/actions/run-job/dist"] as const;
const AUTHOR = [
  "-c",
  "user.name=github-actions[bot]",
  "-c",
  "user.email=41898282+github-actions[bot]@users.noreply.github.com",
];

const tagOf = (version: string): string => `refs/tags/v${version}`;

/** The commit that the tag leads to at the origin; null without one. */
export function publishedAs(folder: string, name: string): string | null {
  const [sha = ""] = output(folder, "git", "ls-remote", "origin", `refs/tags/${name}`).split(/\s/);
  return sha === "" ? null : sha;
}

/**
 * Publishes the version's tag; answers its commit. What an earlier attempt has published is kept if it holds the same
 * files.
 */
export function tagVersion(folder: string, version: string): string {
  const git = (...args: string[]): string => output(folder, "git", ...args);
  git("checkout", "--quiet", "--detach");
  git("add", "--force", ...BUNDLED);
  git(...AUTHOR, "commit", "--quiet", "--message", `Bundle the actions of v${version}`);
  const commit = git("rev-parse", "HEAD");
  const earlier = publishedAs(folder, `v${version}`);
  if (earlier === null) {
    git("push", "--quiet", "origin", `${commit}:${tagOf(version)}`);
    return commit;
  }
  git("fetch", "--quiet", "origin", tagOf(version));
  const same = git("rev-parse", "FETCH_HEAD^{tree}") === git("rev-parse", `${commit}^{tree}`);
  if (!same) throw new Error(`v${version} is published already, with other files; a version never changes.`);
  return earlier;
}

const ORDINARY = /refs\/tags\/v(\d+)\.(\d+)\.(\d+)$/;
/** The major version that the stable names `v1` and `1` are for; 0 came before there was one. */
const STABLE_MAJOR = 1;

const numbersIn = (version: string): readonly number[] => version.split(".").map(Number);

function isBefore(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((part, place) => part !== other[place]);
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0);
}

/** Whether stable names move to this version: none of another promise, and never back to an older one. */
export function isNewestStable(folder: string, version: string): boolean {
  const asked = numbersIn(version);
  if (isPreview(version) || (asked[0] ?? 0) > STABLE_MAJOR) return false;
  const listed = output(folder, "git", "ls-remote", "origin", "refs/tags/v*").split("\n");
  const published = listed.flatMap((line) => {
    const [, ...parts] = ORDINARY.exec(line) ?? [];
    return parts.length === 0 ? [] : [parts.map(Number)];
  });
  return !published.some((other) => (other[0] ?? 0) <= STABLE_MAJOR && isBefore(asked, other));
}

/** What `run-job.yml` asks for moves on; the version's own tag never does. */
export function moveStable(folder: string, version: string): void {
  const commit = publishedAs(folder, `v${version}`);
  if (commit === null) throw new Error(`v${version} is not published.`);
  output(folder, "git", "fetch", "--quiet", "origin", tagOf(version));
  output(folder, "git", "push", "--quiet", "origin", `+${commit}:refs/tags/v1`);
}
