/**
 * Conflicts that git cannot show by markers in a file: a side that has deleted or renamed it, no text, a submodule. What
 * stands in the checkout then is one side alone, so such a path counts as resolved only if the agent has changed it or has
 * said what counts.
 */
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { jobFolder } from "../../src/contracts/brief.ts";
import {
  CONFLICT_KINDS,
  CONFLICTS_FILE,
  type ConflictKind,
  type Decision,
  decisionsSchema,
  MAX_CONFLICTS,
} from "../../src/contracts/conflicts.ts";
import type { Git } from "./git.ts";
import { succeeded } from "./run-command.ts";

const LIST_LIMIT = 64 * 1024 * 1024;
const INDEX_LIMIT = 512 * 1024 * 1024;
const GITLINK = "160000 ";
/** Seven of them, or as many more as the repository's attributes say. */
export const MARKER = /^(?:<{7,} .*|>{7,} .*)$/m;
export const LOOK_LIMIT = 8 * 1024 * 1024;

/** An index entry as mode and object, or null where there is none. */
const entry = z.string().nullable();
export const unmarkedSchema = z.object({
  path: z.string(),
  kind: z.enum(CONFLICT_KINDS),
  branch: entry,
  base: entry,
  /** What the merge has left in the checkout. Missing: not known, so a change of it cannot be seen. */
  left: entry.optional(),
});
export type Unmarked = z.infer<typeof unmarkedSchema>;

interface Stages {
  readonly path: string;
  readonly stages: ReadonlyMap<string, string>;
}

const ENTRY = /^(\d+ [0-9a-f]+) (\d)\t([\s\S]+)$/;

async function unmergedOf(git: Git): Promise<Stages[]> {
  const all = new Map<string, Map<string, string>>();
  for (const one of await git.list(["ls-files", "--unmerged", "-z"], { outputLimit: LIST_LIMIT })) {
    const [, object = "", stage = "", path = ""] = ENTRY.exec(one) ?? [];
    all.set(path, (all.get(path) ?? new Map()).set(stage, object));
  }
  return [...all].map(([path, stages]) => ({ path, stages }));
}

function hasMarkers(workTree: string, path: string): boolean {
  const place = join(workTree, path);
  const found = lstatSync(place, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size <= LOOK_LIMIT && MARKER.test(readFileSync(place, "utf8"));
}

/** Null: it is resolved in the file, or there is nothing to resolve. */
function kindOf(workTree: string, { path, stages }: Stages): ConflictKind | null {
  const [before, branch, base] = ["1", "2", "3"].map((stage) => stages.get(stage));
  if (branch === undefined && base === undefined) return null;
  if ([before, branch, base].some((one) => one?.startsWith(GITLINK))) return "submodule";
  if (branch !== undefined && base !== undefined) return hasMarkers(workTree, path) ? null : "no_text";
  if (before === undefined) return "renamed";
  return branch === undefined ? "deleted_by_branch" : "deleted_by_base";
}

/** What would be staged of these paths as they stand in the checkout; null: git cannot tell. */
async function staged(git: Git, paths: readonly string[]): Promise<ReadonlyMap<string, string> | null> {
  const index = join(git.repository.folder, "left-index");
  const env = { GIT_INDEX_FILE: index };
  rmSync(index, { force: true });
  const add = await git.try(["update-index", "--add", "--remove", "-z", "--stdin"], { env, input: paths.join("\0") });
  const read = succeeded(add) ? await entriesOf(git, env) : null;
  rmSync(index, { force: true });
  return read;
}

async function entriesOf(git: Git, env: Readonly<Record<string, string>> = {}): Promise<ReadonlyMap<string, string>> {
  const all = await git.list(["ls-files", "--stage", "-z"], { env, outputLimit: INDEX_LIMIT });
  return new Map(
    all.map((one) => {
      const [, object = "", , path = ""] = ENTRY.exec(one) ?? [];
      return [path, object] as const;
    }),
  );
}

const setEntries = async (git: Git, entries: readonly (readonly [string, string | null])[]): Promise<void> => {
  if (entries.length === 0) return;
  const input = entries.map(
    ([path, object]) => `${object === null ? `0 ${"0".repeat(40)}` : `${object} 0`}\t${path}\0`,
  );
  await git.run(["update-index", "-z", "--index-info"], { input: input.join("") });
};

/** A name that is no text cannot be asked for again. */
const isText = ({ path }: Stages): boolean => !path.includes("\uFFFD");

/** The conflicts of a merge that was begun. Submodules are as the branch has them from here on, or git could add nothing. */
export async function findUnmarked(git: Git): Promise<readonly Unmarked[]> {
  const { workTree } = git.repository;
  const found = (await unmergedOf(git)).flatMap((one) => {
    const kind = kindOf(workTree, one);
    return kind === null ? [] : [{ ...one, kind }];
  });
  const files = found.filter((one) => one.kind !== "submodule" && isText(one)).map(({ path }) => path);
  const left = files.length === 0 ? null : await staged(git, files);
  const submodules = found.filter(({ kind }) => kind === "submodule");
  await setEntries(
    git,
    submodules.map(({ path, stages }) => [path, stages.get("2") ?? null]),
  );
  return found.map(({ path, kind, stages }) => ({
    path,
    kind,
    branch: stages.get("2") ?? null,
    base: stages.get("3") ?? null,
    ...(left === null || !files.includes(path) ? {} : { left: left.get(path) ?? null }),
  }));
}

/** Tells the agent, beside the files; the job's folder is never staged. */
export function tellAgent(workTree: string, jobId: string, unmarked: readonly Unmarked[]): void {
  if (unmarked.length === 0) return;
  const path = join(workTree, jobFolder(jobId), CONFLICTS_FILE);
  const conflicts = unmarked.slice(0, MAX_CONFLICTS).map((one) => ({ path: one.path, kind: one.kind }));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ conflicts }, null, 2)}\n`);
}

export const decisionsIn = (result: Readonly<Record<string, unknown>> | null): readonly Decision[] =>
  decisionsSchema.parse(result?.conflicts);

export interface Settled {
  /** Nobody has decided them. */
  readonly open: readonly string[];
  /** What was decided by a word alone. */
  readonly decided: readonly Decision[];
}

/** After everything was staged: what the agent has decided counts, unless it has changed the path itself. */
export async function settle(
  git: Git,
  unmarked: readonly Unmarked[],
  decisions: readonly Decision[],
): Promise<Settled> {
  if (unmarked.length === 0) return { open: [], decided: [] };
  const now = await entriesOf(git);
  const untouched = unmarked.filter(({ path, left }) => left === undefined || (now.get(path) ?? null) === left);
  const keepOf = new Map(decisions.map((one) => [one.path, one]));
  const told = untouched.flatMap((one) => {
    const decision = keepOf.get(one.path);
    return decision === undefined ? [] : [{ ...one, decision }];
  });
  await setEntries(
    git,
    told.flatMap(({ path, decision: { keep }, branch, base }) =>
      keep === "file" ? [] : [[path, keep === "branch" ? branch : base] as const],
    ),
  );
  return {
    open: untouched.filter(({ path }) => !keepOf.has(path)).map(({ path }) => path),
    decided: told.map(({ decision }) => decision),
  };
}
