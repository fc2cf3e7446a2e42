/**
 * deliver-files: commits a market worker's submission to the job's branch. Uses compare-and-swap on the head; after a
 * failure or a repeated attempt it looks first whether the commit exists.
 */

import * as z from "zod";
import type { FileChange } from "../../domain/job/attachments.ts";
import type { Effect } from "../../domain/job/effect.ts";
import { marketWork } from "../../domain/job/job.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted, type GitHubError } from "../client/errors.ts";
import { ask } from "../client/graphql.ts";
import { finishMessage } from "../render/pull-request.ts";
import { readBlob } from "./attachments.ts";
import { laterOf } from "./one-call.ts";
import { reported, type Task } from "./task.ts";

type DeliverFiles = Extract<Effect, { type: "deliver-files" }>;

const MUTATION = `
mutation Deliver($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}`;

const schema = z.object({ createCommitOnBranch: z.object({ commit: z.object({ oid: z.string() }) }) });

/** Commits of the branch that are searched for ours. */
const LOOK_BACK = 30;

const trailerOf = ({ round, attempt }: DeliverFiles): string => `Job-Files: ${round}.${attempt}`;

async function commit(task: Task, effect: DeliverFiles, files: readonly FileChange[], head: string): Promise<string> {
  const { job, octokit, at } = task;
  const { headline, body } = finishMessage(job);
  const input = {
    branch: { repositoryNameWithOwner: `${at.owner}/${at.repo}`, branchName: job.branch },
    expectedHeadOid: head,
    message: { headline, body: `${body}\n${trailerOf(effect)}` },
    fileChanges: {
      additions: files.flatMap(({ name, content }) => (content === null ? [] : [{ path: name, contents: content }])),
      deletions: files.flatMap(({ name, content }) => (content === null ? [{ path: name }] : [])),
    },
  };
  return (await ask(octokit, MUTATION, { input }, schema)).createCommitOnBranch.commit.oid;
}

/** The branch's current head, and whether it contains our commit. */
async function look({ octokit, at, job }: Task, effect: DeliverFiles): Promise<{ head: string; done: boolean } | null> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/commits", {
    ...at,
    sha: job.branch,
    per_page: LOOK_BACK,
  });
  const head = data[0]?.sha;
  const done = data.some(
    ({ commit: { message } }) => message.includes(`Job: ${job.id}`) && message.includes(trailerOf(effect)),
  );
  return head === undefined ? null : { head, done };
}

const delivered = ({ round, attempt }: DeliverFiles, head_sha: string): Attempt =>
  reported({ type: "files-delivered", round, attempt, head_sha });

const refused = ({ round, attempt }: DeliverFiles, sentence: string): Attempt =>
  reported({ type: "submission-refused", round, attempt, sentence });

export const NOT_TAKEN =
  "GitHub rejected the submitted files: a file to delete may not exist, a path may be a folder, or a rule may forbid it. Correct them and submit again.";
export const GONE = "The submitted files are no longer stored; submit them again.";

const troubled = (effect: DeliverFiles, githubError: GitHubError): Attempt =>
  githubError.kind === "invalid" || githubError.kind === "not-allowed"
    ? refused(effect, NOT_TAKEN)
    : { ended: "later", ...laterOf(githubError) };

export async function deliverFiles(task: Task, effect: DeliverFiles): Promise<Attempt> {
  const { job, now } = task;
  const blob = await readBlob(task, marketWork(job)?.delivery?.parcel);
  if (blob === null) return refused(effect, GONE);
  if (!task.again && job.head_sha !== null) {
    const head = job.head_sha;
    const first = await attempted(now, () => commit(task, effect, blob.files, head));
    if (first.ok) return delivered(effect, first.value);
    if (first.githubError.kind !== "conflict") return troubled(effect, first.githubError);
  }
  const second = await attempted(now, async () => {
    const seen = await look(task, effect);
    if (seen === null || seen.done) return seen?.head ?? null;
    return commit(task, effect, blob.files, seen.head);
  });
  if (!second.ok) return troubled(effect, second.githubError);
  if (second.value === null) return { ended: "later", reason: "The job's branch has no commit." };
  return delivered(effect, second.value);
}
