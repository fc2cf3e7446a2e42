/**
 * Pushes a tree to the job's branch as one commit, with `--force-with-lease`: a branch that was deleted is not
 * recreated, and one that has moved loses nothing. A rejected push returns GitHub's message. Where commits must be
 * signed, GitHub makes the commit.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../src/contracts/secret.ts";
import { head } from "../../src/text/text.ts";
import type { Git } from "./git.ts";
import { type GitHubApi, makeCommit, moveBranch } from "./github-api.ts";
import { type CommandResult, errorTail, succeeded } from "./run-command.ts";

const PUSH_LIMIT_MS = 90_000;
const FETCH_LIMIT_MS = 30_000;
const MESSAGE_LIMIT = 1_500;
/** No rule of branches covers these refs, and no workflow starts by them. */
const WORK_REFS = "refs/journeyman/work/";

export interface PushOptions {
  readonly branch: string;
  readonly url: string;
  readonly message: string;
  /** The branch's head when the job was checked out. */
  readonly head: string;
  /** The second parent; null when nothing was merged. */
  readonly merged: string | null;
  /** GitHub makes the commit, and so signs it. Otherwise only where a rule has refused an unsigned one. */
  readonly signed: boolean;
  readonly api: GitHubApi;
}

export type PushResult =
  | { readonly ok: true }
  /** `words`: GitHub's message. `rule`: a rule of the repository rejects this push from anyone. */
  | { readonly ok: false; readonly why: "refused"; readonly words: string; readonly rule: boolean }
  /** Git itself failed. */
  | { readonly ok: false; readonly why: "failed"; readonly words: string }
  | { readonly ok: false; readonly why: "gone" | "conflict" };

/** `answered`: GitHub has said why. */
type Sent = { readonly ok: true } | { readonly ok: false; readonly result: PushResult; readonly answered: boolean };

export async function pushTree(git: Git, tree: string, delivery: PushOptions, token: Secret): Promise<PushResult> {
  const { branch, url, message, head, merged } = delivery;
  const ref = `refs/heads/${branch}`;
  const commitOf = (what: string, parents: readonly string[]): Promise<string> =>
    git.text(["commit-tree", what, ...parents.flatMap((parent) => ["-p", parent]), "-m", message]);
  const also = merged === null ? [] : [merged];
  const send = async (commit: string, parent: string): Promise<Sent> => {
    const plain = delivery.signed ? null : await pushCommit(git, { commit, expected: parent, url, ref }, token);
    return plain === null || (!plain.ok && wantsSignature(plain.result))
      ? pushSigned(git, { ...delivery, commit, parents: [parent, ...also] }, token)
      : plain;
  };
  const commit = await commitOf(tree, [head, ...also]);
  const first = await send(commit, head);
  if (first.ok) return first;
  const fetched = await git.try(["fetch", "--quiet", "--no-tags", "--depth=1", url, ref], {
    token,
    limitMs: FETCH_LIMIT_MS,
  });
  if (!succeeded(fetched)) return first.answered ? first.result : { ok: false, why: "gone" };
  const moved = await git.text(["rev-parse", "FETCH_HEAD"]);
  if (moved === head) return first.result;
  const both = await mergedTree(git, { base: head, ours: commit, theirs: moved });
  if (both === null) return { ok: false, why: "conflict" };
  const second = await send(await commitOf(both, [moved, ...also]), moved);
  return second.ok ? second : second.result;
}

interface PlainPush {
  readonly commit: string;
  readonly expected: string;
  readonly url: string;
  readonly ref: string;
}

async function pushCommit(git: Git, { commit, expected, url, ref }: PlainPush, token: Secret): Promise<Sent> {
  const lease = `--force-with-lease=${ref}:${expected}`;
  const ran = await git.try(["push", "--no-verify", "--no-recurse-submodules", lease, url, `${commit}:${ref}`], {
    token,
    limitMs: PUSH_LIMIT_MS,
  });
  return succeeded(ran) ? { ok: true } : { ok: false, result: refusal(ran), answered: hasWords(ran) };
}

/** GitHub's sentence about a commit that a rule wants to be signed. */
const WANTS_SIGNATURE = /verified signature|must be signed/i;

const wantsSignature = (result: PushResult): boolean =>
  !result.ok && result.why === "refused" && WANTS_SIGNATURE.test(result.words);

export interface SignedPush extends PushOptions {
  readonly commit: string;
  readonly parents: readonly string[];
}

/**
 * Pushes the commit beside the branches, has GitHub make the same one, which it signs, and moves the branch to that. No
 * file is sent by REST, so modes, links and large files stay as they are.
 */
async function pushSigned(git: Git, delivery: SignedPush, token: Secret): Promise<Sent> {
  const { commit, parents, message, url, branch, api } = delivery;
  const beside = `${WORK_REFS}${branch}`;
  const ran = await git.try(["push", "--no-verify", "--no-recurse-submodules", "--force", url, `${commit}:${beside}`], {
    token,
    limitMs: PUSH_LIMIT_MS,
  });
  if (!succeeded(ran)) return { ok: false, result: refusal(ran), answered: hasWords(ran) };
  try {
    const tree = await git.text(["rev-parse", `${commit}^{tree}`]);
    const made = await makeCommit(api, { tree, parents, message }, token);
    if (!made.ok) return refusedByApi(made.reason, false);
    const moved = await moveBranch(api, branch, made.sha, token);
    return moved.ok ? moved : refusedByApi(moved.reason, moved.moved);
  } finally {
    await git.try(["push", "--no-verify", url, `:${beside}`], { token, limitMs: FETCH_LIMIT_MS });
  }
}
const refusedByApi = (words: string, moved: boolean): Sent => ({
  ok: false,
  result: { ok: false, why: "refused", words, rule: RULE.test(words) },
  answered: !moved,
});

interface Sides {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Merges both sides file by file; null when both changed the same file. */
async function mergedTree(git: Git, { base, ours, theirs }: Sides): Promise<string | null> {
  const index = join(git.repository.folder, "delivery-index");
  const env = { GIT_INDEX_FILE: index };
  rmSync(index, { force: true });
  const read = await git.succeeds(["read-tree", "-i", "-m", "--aggressive", base, ours, theirs], { env });
  const tree = read ? await git.try(["write-tree", "--missing-ok"], { env }) : null;
  rmSync(index, { force: true });
  return tree !== null && succeeded(tree) ? tree.stdout.toString("utf8").trim() : null;
}

const REMOTE_LINE = /^remote: ?(.*)$/;
const REJECTED = /^ ! \[remote rejected\] .*\((.+)\)$/m;
/** Rules, limits, secret scanning (GH001, GH006, GH013 …) and server-side hooks. */
const RULE = /\bGH\d{3}\b|pre-receive hook declined|rule violations|protected branch/i;

const remoteLines = ({ stderr }: CommandResult): string[] =>
  stderr.split(/[\r\n]+/).flatMap((row) => REMOTE_LINE.exec(row)?.[1] ?? []);

const hasWords = (ran: CommandResult): boolean =>
  remoteLines(ran).some((row) => /\w/.test(row)) || REJECTED.test(ran.stderr);

/** GitHub's message, cleaned and bounded: it quotes file names, which the agent chose. */
export function refusalWords(ran: CommandResult): string {
  const rows = remoteLines(ran).map((row) => row.replace(/[\p{C}\s]+/gu, " ").trim());
  const rejected = REJECTED.exec(ran.stderr)?.[1] ?? "";
  const words = [...rows.filter((row) => /\w/.test(row)), rejected].filter((row) => row !== "").join("\n");
  return head(words === "" ? errorTail(ran) : words, MESSAGE_LIMIT);
}

const refusal = (ran: CommandResult): PushResult => ({
  ok: false,
  why: "refused",
  words: refusalWords(ran),
  rule: RULE.test(ran.stderr),
});
