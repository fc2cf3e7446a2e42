/**
 * show-files: creates an unreferenced commit with a market worker's submission on the job's base. GitHub shows and
 * compares it like any other, and it starts no workflow. A repetition creates a second commit, of which one is used.
 */

import type { FileChange } from "../../domain/job/attachments.ts";
import type { Effect } from "../../domain/job/effect.ts";
import { marketWork } from "../../domain/job/job.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { finishMessage } from "../render/pull-request.ts";
import { readBlob } from "./attachments.ts";
import { GONE, NOT_TAKEN } from "./deliver-files.ts";
import { laterOf } from "./one-call.ts";
import { restTreeEntry } from "./rest-tree-entry.ts";
import { reported, type Task } from "./task.ts";

type ShowFiles = Extract<Effect, { type: "show-files" }>;

async function commit(task: Task, base: string, files: readonly FileChange[]): Promise<{ sha: string; url: string }> {
  const { octokit, at, job } = task;
  const below = await octokit.request("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", {
    ...at,
    commit_sha: base,
  });
  const entries = [];
  for (const { name, content } of files)
    entries.push(await restTreeEntry(task, name, content === null ? null : Buffer.from(content, "base64")));
  const tree = await octokit.request("POST /repos/{owner}/{repo}/git/trees", {
    ...at,
    base_tree: below.data.tree.sha,
    tree: entries,
  });
  const { headline, body } = finishMessage(job);
  const { data } = await octokit.request("POST /repos/{owner}/{repo}/git/commits", {
    ...at,
    message: `${headline}\n\n${body}`,
    tree: tree.data.sha,
    parents: [base],
  });
  return { sha: data.sha, url: data.html_url };
}

export async function showFiles(task: Task, { round, attempt }: ShowFiles): Promise<Attempt> {
  const { job, now } = task;
  const refused = (sentence: string): Attempt => reported({ type: "submission-refused", round, attempt, sentence });
  const { sha: base } = job.base;
  const blob = await readBlob(task, marketWork(job)?.delivery?.parcel);
  if (blob === null) return refused(GONE);
  if (base === null) return { ended: "later", reason: "The base commit of the job's branch is unknown." };
  const made = await attempted(now, () => commit(task, base, blob.files));
  if (made.ok) return reported({ type: "files-shown", round, attempt, ...made.value });
  const { kind } = made.githubError;
  return kind === "invalid" ? refused(NOT_TAKEN) : { ended: "later", ...laterOf(made.githubError) };
}
