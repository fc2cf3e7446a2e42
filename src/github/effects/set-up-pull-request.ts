/** Opens the pull request that sets a repository up, and keeps its text up to date. */
import type { RepositoryState, SetUpFacts } from "../../domain/repository/repository.ts";
import { SET_UP_BRANCH } from "../../domain/repository/set-up.ts";
import type { RepositoryAttempt } from "../../engine/ports/performer.ts";
import { attempted, type GitHubError } from "../client/errors.ts";
import { SET_UP_COMMIT, SET_UP_TITLE, setUpBody } from "../render/set-up.ts";
import { SETTINGS_TEMPLATE } from "../render/settings-template.ts";
import { SETTINGS_PATH } from "../repository-settings/settings-file.ts";
import { laterOf } from "./one-call.ts";
import { readSetUpFacts } from "./set-up-facts.ts";
import type { Task } from "./task.ts";

export interface SetUpTask extends Pick<Task, "octokit" | "at" | "now" | "again" | "run_action"> {
  readonly repository: RepositoryState;
}

const REFUSED: RepositoryAttempt = { ended: "done", command: { type: "set-up-refused" } };

/** Transient errors are tried again; all others mean that the pull request cannot be opened now. */
const ended = (githubError: GitHubError): RepositoryAttempt =>
  githubError.kind === "later" || githubError.kind === "conflict"
    ? { ended: "later", ...laterOf(githubError) }
    : REFUSED;

type Head = NonNullable<SetUpFacts["head"]>;

/** A commit on the default branch's head, with the settings file if that is missing. */
async function commit({ octokit, at }: SetUpTask, head: Head, has_settings: boolean): Promise<string> {
  const content = { path: SETTINGS_PATH, mode: "100644", type: "blob", content: SETTINGS_TEMPLATE } as const;
  const files = { ...at, base_tree: head.tree, tree: [content] };
  const tree = has_settings
    ? head.tree
    : (await octokit.request("POST /repos/{owner}/{repo}/git/trees", files)).data.sha;
  const { data } = await octokit.request("POST /repos/{owner}/{repo}/git/commits", {
    ...{ ...at, message: SET_UP_COMMIT, tree, parents: [head.sha] },
  });
  return data.sha;
}

async function createBranch(task: SetUpTask, head: Head, has_settings: boolean): Promise<void> {
  const sha = await commit(task, head, has_settings);
  const ref = `refs/heads/${SET_UP_BRANCH}`;
  await task.octokit.request("POST /repos/{owner}/{repo}/git/refs", { ...task.at, ref, sha });
}

const openPullRequest = async ({ octokit, at, repository, run_action }: SetUpTask, base: string): Promise<number> => {
  const { data } = await octokit.request("POST /repos/{owner}/{repo}/pulls", {
    ...{ ...at, title: SET_UP_TITLE, body: setUpBody(repository, run_action), head: SET_UP_BRANCH, base },
  });
  return data.number;
};

const found = (facts: SetUpFacts | null): RepositoryAttempt => ({
  ended: "done",
  command: { type: "set-up-read", facts },
});

/** An attempt that was cut off may have left the branch, or the pull request. */
export async function openSetUpPullRequest(task: SetUpTask): Promise<RepositoryAttempt> {
  const { now, again, repository } = task;
  const read = again ? await attempted(now, () => readSetUpFacts(task)) : null;
  if (read?.ok === false) return ended(read.githubError);
  if (read?.value?.pull_request) return found(read.value);
  const facts = read?.value ?? repository.set_up.facts;
  if (facts?.head == null || facts.default_branch === null) return REFUSED;
  const { head, offered, default_branch, files } = facts;
  if (offered === null) {
    const pushed = await attempted(now, () => createBranch(task, head, files.settings !== null));
    if (!pushed.ok && !isThere(pushed.githubError)) return ended(pushed.githubError);
  }
  const opened = await attempted(now, () => openPullRequest(task, default_branch));
  if (opened.ok) return { ended: "done", command: { type: "set-up-offered", pull_request: opened.value } };
  if (!isThere(opened.githubError)) return ended(opened.githubError);
  const there = await attempted(now, () => readSetUpFacts(task));
  if (!there.ok) return ended(there.githubError);
  // where it is not seen either, asking on and on would not help
  return there.value?.pull_request ? found(there.value) : REFUSED;
}

/** The branch, or the pull request, of an earlier attempt. */
const isThere = (githubError: GitHubError): boolean =>
  githubError.kind === "invalid" && /already exists/i.test(githubError.words);

/** A pull request that is merged or closed keeps its text up to date as well. */
export async function updateSetUpPullRequest({
  octokit,
  at,
  now,
  repository,
  run_action,
}: SetUpTask): Promise<RepositoryAttempt> {
  const { pull_request, phase, facts } = repository.set_up;
  if (pull_request === null) return { ended: "done" };
  const closes = phase === "complete" && facts?.pull_request?.state === "open";
  const answer = await attempted(now, () =>
    octokit.request("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", {
      ...at,
      pull_number: pull_request,
      body: setUpBody(repository, run_action),
      ...(closes ? { state: "closed" as const } : {}),
    }),
  );
  if (answer.ok || answer.githubError.kind !== "later") return { ended: "done", command: { type: "set-up-shown" } };
  return { ended: "later", ...laterOf(answer.githubError) };
}
