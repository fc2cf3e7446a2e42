/**
 * Fetches as much history as a comparison or merge of two commits needs. In a shallow repository a common ancestor may
 * not be the best one, so it counts only when nothing above it is cut off.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../src/contracts/secret.ts";
import type { Git } from "./git.ts";
import { succeeded } from "./run-command.ts";

/**
 * Commits by which each side is deepened, one request after the other. After the last step the whole history is
 * fetched.
 */
const STEPS = [50, 500, 5_000] as const;
const FETCH_LIMIT_MS = 60_000;
/** Commits above a merge base that are searched for a cut. */
const LOOK_LIMIT = 200_000;

/** The best common ancestor; null when there is none or it is out of reach. */
export async function findMergeBase(
  git: Git,
  { head, base, token }: { readonly head: string; readonly base: string; readonly token: Secret },
): Promise<string | null> {
  for (const depth of [...STEPS.map((step) => `--deepen=${step}`), "--unshallow"]) {
    const known = await knownMergeBase(git, head, base);
    if (known !== null || !isShallow(git)) return known;
    const fetch = ["fetch", "--quiet", "--no-tags", depth, "origin", head, base];
    if (!succeeded(await git.try(fetch, { token, limitMs: FETCH_LIMIT_MS }))) break;
  }
  return knownMergeBase(git, head, base);
}

async function knownMergeBase(git: Git, head: string, base: string): Promise<string | null> {
  const found = await git.try(["merge-base", head, base]);
  if (!succeeded(found)) return null;
  const ancestor = found.stdout.toString("utf8").trim();
  const cut = shallowCommits(git);
  if (cut.size === 0) return ancestor;
  const above = await git.try(["rev-list", `--max-count=${LOOK_LIMIT}`, head, base, "--not", ancestor]);
  if (!succeeded(above)) return null;
  return above.stdout
    .toString("utf8")
    .split("\n")
    .some((sha) => cut.has(sha))
    ? null
    : ancestor;
}

const isShallow = (git: Git): boolean => shallowCommits(git).size > 0;

/** Commits whose parents are missing. */
function shallowCommits({ repository }: Git): ReadonlySet<string> {
  try {
    const text = readFileSync(join(repository.folder, "shallow"), "utf8");
    return new Set(text.split("\n").filter((sha) => sha !== ""));
  } catch {
    return new Set();
  }
}
