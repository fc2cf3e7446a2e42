/**
 * Recognises our brief for this attempt on the job's branch, left by an earlier performance of the effect. Anyone who
 * may push can copy its message, and the brief's run gets the App's token, so it must be signed by GitHub for the App,
 * carry the App's seal, or match what the App would write exactly.
 */

import { type AppIdentity, botLogin, sameLogin } from "../client/app-identity.ts";
import type { Tip } from "./branch-state.ts";
import { type AttemptRef, isBriefMessage } from "./brief.ts";
import { isSealed } from "./brief-seal.ts";
import type { Task } from "./task.ts";

/** Commits below the head that are searched for our brief, since the agent may have added some. */
const LOOK_BACK = 50;

/** The committer that GitHub records for commits made through its API. */
const WEB_FLOW = "web-flow";

/** The tree of a first brief on this commit; null when there would be none. */
export type TreeOn = (parent: Tip) => Promise<string | null>;

interface Candidate {
  readonly author: unknown;
  readonly committer: unknown;
  readonly commit: {
    readonly message: string;
    readonly tree: { readonly sha: string };
    readonly verification?: { readonly verified: boolean };
  };
  readonly parents: readonly { readonly sha: string }[];
}

const isBy = (who: unknown, login: string): boolean =>
  typeof who === "object" &&
  who !== null &&
  "login" in who &&
  typeof who.login === "string" &&
  sameLogin(who.login, login);

/** GitHub signs commits that an App makes through the API, and no others that claim to be by it. */
const isSigned = ({ author, committer, commit }: Candidate, self: AppIdentity): boolean =>
  commit.verification?.verified === true &&
  isBy(author, botLogin(self)) &&
  (isBy(committer, botLogin(self)) || isBy(committer, WEB_FLOW));

function hasSeal(task: Task, attemptRef: AttemptRef, { commit, parents }: Candidate): boolean {
  const [parent, ...others] = parents;
  if (parent === undefined || others.length > 0) return false;
  return isSealed(task, attemptRef, commit.message, { tree: commit.tree.sha, parent: parent.sha });
}

/** For a commit that nobody has signed and that was made without a key. */
async function saysTheSame({ octokit, at }: Task, { commit, parents }: Candidate, treeOn: TreeOn): Promise<boolean> {
  const [parent, ...others] = parents;
  if (parent === undefined || others.length > 0) return false;
  const { sha: commit_sha } = parent;
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", { ...at, commit_sha });
  return (await treeOn({ sha: commit_sha, tree: data.tree.sha })) === commit.tree.sha;
}

export async function ownBrief(task: Task, attemptRef: AttemptRef, treeOn: TreeOn): Promise<string | null> {
  const { job, octokit, at, self } = task;
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/commits", {
    ...at,
    sha: job.branch,
    per_page: LOOK_BACK,
  });
  const alike = data.filter(({ commit }) => isBriefMessage(commit.message, job, attemptRef));
  const signed = alike.find((one) => isSigned(one, self) || hasSeal(task, attemptRef, one));
  const last = alike.at(0);
  if (signed !== undefined || last === undefined) return signed?.sha ?? null;
  return (await saysTheSame(task, last, treeOn)) ? last.sha : null;
}
