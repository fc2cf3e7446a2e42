/**
 * open-pull-request: the job's folder goes, and the pull request opens or takes the further round. One write where the
 * pull request is there already, two where it is not.
 */
import type { Attempt } from "../../../engine/ports.ts";
import type { Effect } from "../../../job/effect.ts";
import { tried } from "../errors.ts";
import { pullRequestBody, pullRequestTitle } from "../texts/pull-request.ts";
import { removeFolder } from "./remove-folder.ts";
import { laterOf } from "./small.ts";
import { reported, type Task } from "./with.ts";

type OpenPullRequest = Extract<Effect, { type: "open-pull-request" }>;

interface Opened {
  readonly number: number;
  readonly url: string;
}

async function post(task: Task, base: string, draft: boolean): Promise<Opened> {
  const { octokit, at, job, repositories } = task;
  const known = await repositories.get(job.repository.owner, job.repository.name);
  // GitHub closes an issue only from the default branch; elsewhere the words would promise what does not happen
  const closes = known?.base ? known.base.branch === base : true;
  const { data } = await octokit.request("POST /repos/{owner}/{repo}/pulls", {
    ...at,
    title: pullRequestTitle(job),
    body: pullRequestBody(job, closes),
    head: job.branch,
    base,
    draft,
  });
  return { number: data.number, url: data.html_url };
}

async function find({ octokit, at, job }: Task): Promise<Opened | null> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/pulls", {
    ...at,
    head: `${at.owner}:${job.branch}`,
    state: "open",
    per_page: 1,
  });
  const first = data[0];
  return first ? { number: first.number, url: first.html_url } : null;
}

/** "No commits between" and a pull request that is there already are answers; what else is wrong is thrown. */
async function open(task: Task, base: string): Promise<Opened | null> {
  if (task.again) {
    const left = await find(task);
    if (left !== null) return left;
  }
  const answer = await tried(task.now, () => post(task, base, task.job.choices.draft));
  if (answer.ok) return answer.value;
  if (answer.trouble.kind !== "invalid") throw new Unopened(answer.trouble);
  if (/no commits between/i.test(answer.trouble.words)) return null;
  if (/already exists/i.test(answer.trouble.words)) {
    const left = await find(task);
    if (left !== null) return left;
  }
  // private repositories on some plans know no drafts
  if (/draft/i.test(answer.trouble.words) && task.job.choices.draft) return post(task, base, false);
  throw new Unopened(answer.trouble);
}

class Unopened extends Error {
  readonly trouble: Parameters<typeof laterOf>[0];
  constructor(trouble: Parameters<typeof laterOf>[0]) {
    super("GitHub did not open the pull request.");
    this.trouble = trouble;
  }
}

export async function openPullRequest(task: Task, { round }: OpenPullRequest): Promise<Attempt> {
  const { job } = task;
  const cleaned = await removeFolder(task);
  if (cleaned === null)
    return { ended: "later", reason: "The job's branch is gone, so no pull request can be opened." };
  if ("trouble" in cleaned) return { ended: "later", ...laterOf(cleaned.trouble) };
  const { head, empty } = cleaned;
  if (job.pull_request !== null && cleaned.open)
    return reported({ type: "pull-request-opened", round, ...job.pull_request, head_sha: head });
  if (empty) return reported({ type: "nothing-to-open", round });

  const base = job.base.branch;
  if (base === null) return { ended: "later", reason: "It is not known which branch the pull request is for." };
  try {
    const answer = await tried(task.now, () => open(task, base));
    if (!answer.ok) return { ended: "later", ...laterOf(answer.trouble) };
    if (answer.value === null) return reported({ type: "nothing-to-open", round });
    return reported({ type: "pull-request-opened", round, ...answer.value, head_sha: head });
  } catch (thrown) {
    if (thrown instanceof Unopened) return { ended: "later", ...laterOf(thrown.trouble) };
    throw thrown;
  }
}
