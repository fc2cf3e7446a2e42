/**
 * Our brief for this try, if an earlier attempt has left it on the job's branch. Anybody who may push there can write its
 * message, and what is taken for the brief gets the App's token: so it must be by the App, as GitHub has signed it, or say
 * word for word what the App would write.
 */

import { type AppIdentity, botLogin, sameLogin } from "../client/app-identity.ts";
import type { Tip } from "./branch-state.ts";
import { isBriefMessage, type Turn } from "./brief.ts";
import type { Task } from "./task.ts";

/** Commits that are looked through for a brief of ours below what the agent has added since. */
const LOOK_BACK = 50;

/** Whom GitHub names as the committer of what was made through it. */
const WEB_FLOW = "web-flow";

/** The tree of a first brief on this commit; null: there would be none. */
export type TreeOn = (parent: Tip) => Promise<string | null>;

interface Candidate {
  readonly author: unknown;
  readonly committer: unknown;
  readonly commit: { readonly tree: { readonly sha: string }; readonly verification?: { readonly verified: boolean } };
  readonly parents: readonly { readonly sha: string }[];
}

const isBy = (who: unknown, login: string): boolean =>
  typeof who === "object" &&
  who !== null &&
  "login" in who &&
  typeof who.login === "string" &&
  sameLogin(who.login, login);

/** GitHub signs what an App commits over the API, and nothing else that names it. */
const isSigned = ({ author, committer, commit }: Candidate, self: AppIdentity): boolean =>
  commit.verification?.verified === true &&
  isBy(author, botLogin(self)) &&
  (isBy(committer, botLogin(self)) || isBy(committer, WEB_FLOW));

/** For a GitHub that signs nothing, as GitHub Enterprise Server does unless it is told to. */
async function saysTheSame({ octokit, at }: Task, { commit, parents }: Candidate, treeOn: TreeOn): Promise<boolean> {
  const [parent, ...others] = parents;
  if (parent === undefined || others.length > 0) return false;
  const { sha: commit_sha } = parent;
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", { ...at, commit_sha });
  return (await treeOn({ sha: commit_sha, tree: data.tree.sha })) === commit.tree.sha;
}

export async function ownBrief(task: Task, turn: Turn, treeOn: TreeOn): Promise<string | null> {
  const { job, octokit, at, self } = task;
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/commits", {
    ...at,
    sha: job.branch,
    per_page: LOOK_BACK,
  });
  const alike = data.filter(({ commit }) => isBriefMessage(commit.message, job, turn));
  const signed = alike.find((one) => isSigned(one, self));
  const last = alike.at(0);
  if (signed !== undefined || last === undefined) return signed?.sha ?? null;
  return (await saysTheSame(task, last, treeOn)) ? last.sha : null;
}
