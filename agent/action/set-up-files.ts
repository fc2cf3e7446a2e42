/**
 * Copies the files that the set-up commands of the repository's image may see (`container.setup_paths`). They are of the
 * default branch alone, never of a job's or a person's branch: the commands run as root with the network, before the fence.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../src/contracts/secret.ts";
import { expandGlob } from "../../src/text/glob.ts";
import type { ActionBrief } from "./brief.ts";
import { type Base, fetchAgain, readEvent } from "./checkout.ts";
import type { Git } from "./git.ts";
import type { ActionSettings } from "./settings.ts";

const LIST_LIMIT = 64 * 1024 * 1024;
const COPY_LIMIT_MS = 10 * 60_000;
const DEFAULT_REF = "refs/journeyman/default";

export interface SetUpFilesPorts {
  readonly git: Git;
  /** Of the step. */
  readonly folder: string;
  readonly token: Secret;
}

/** Every file of the commit that one of the globs names. `part`: the repository lacks file contents. */
export async function copySetUpFiles(
  { git, folder, token }: SetUpFilesPorts,
  { commit, globs, part }: { readonly commit: string; readonly globs: readonly string[]; readonly part: boolean },
): Promise<string> {
  const place = join(folder, "set-up-files");
  const index = join(folder, "set-up-index");
  for (const old of [place, index]) rmSync(old, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const env = { GIT_INDEX_FILE: index };
  await git.run(["read-tree", commit], { env });
  const wanted = globs.flatMap(expandGlob).map((glob) => `:(glob)${glob}`);
  const entries = await git.list(["ls-files", "--stage", "-z", "--", ...wanted], { env, outputLimit: LIST_LIMIT });
  const files = entries.filter((entry) => !entry.startsWith("160000 "));
  const ids = [...new Set(files.map((entry) => entry.split(" ", 2)[1] ?? ""))];
  if (part && ids.length > 0) await fetchContents(git, token, ids);
  await git.run(["checkout-index", "--quiet", "--force", "-z", "--stdin", `--prefix=${place}/`], {
    ...{ env, token, limitMs: COPY_LIMIT_MS },
    input: files.map((entry) => `${entry.slice(entry.indexOf("\t") + 1)}\0`).join(""),
  });
  rmSync(index, { force: true });
  return place;
}

/** One request for all, where git would ask for each. It must not tell of the commit, whose files the server would leave out. */
const fetchContents = (git: Git, token: Secret, ids: readonly string[]): Promise<void> =>
  fetchAgain(git, ["--no-write-fetch-head", "--filter=blob:none", "--stdin", "origin"], token, {
    ...{ input: ids.join("\n"), config: [["fetch.negotiationAlgorithm", "noop"]] },
  });

export const removeSetUpFiles = ({ folder }: Pick<SetUpFilesPorts, "folder">): void =>
  rmSync(join(folder, "set-up-files"), { recursive: true, force: true });

interface Asked {
  readonly brief: Pick<ActionBrief, "base" | "checkout_paths">;
  readonly globs: readonly string[];
  readonly base: Base;
}

/** The same of the default branch, which is mostly the job's base. Answers the folder. */
export async function copyDefaultFiles(
  { git, settings }: { readonly git: Git; readonly settings: ActionSettings },
  { brief, globs, base }: Asked,
): Promise<string> {
  const { folder, githubToken: token, eventPath } = settings;
  const branch = readEvent(eventPath)?.repository?.default_branch;
  if (branch === undefined) throw new Error("its event does not name the default branch, which `setup_paths` needs");
  const isBase = base.known && brief.base.branch === branch;
  if (!isBase) await fetchAgain(git, ["--depth=1", "origin", `+refs/heads/${branch}:${DEFAULT_REF}`], token);
  const commit = isBase ? brief.base.sha : DEFAULT_REF;
  return copySetUpFiles({ git, folder, token }, { commit, globs, part: brief.checkout_paths.length > 0 });
}
