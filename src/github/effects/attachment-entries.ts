/**
 * Turns a job's attachments into entries of the brief's tree: plain files below the job's folder, which are removed
 * with it. Text is inlined in the tree; other files need a blob each.
 */

import { jobFolder } from "../../contracts/brief.ts";
import { marketWork } from "../../domain/job/job.ts";
import { readBlob, textOf } from "./attachments.ts";
import type { TreeEntry } from "./brief.ts";
import type { Task } from "./task.ts";

const FOLDER = "attachments";

export async function attachmentEntries(task: Task): Promise<TreeEntry[]> {
  const { job, octokit, at } = task;
  const stored = await readBlob(task, marketWork(job)?.enclosure?.parcel);
  const entries: TreeEntry[] = [];
  for (const { name, content } of stored?.attachments ?? []) {
    const file = { path: `${jobFolder(job.id)}/${FOLDER}/${name}`, mode: "100644", type: "blob" } as const;
    const text = textOf(content);
    if (text !== null) {
      entries.push({ ...file, content: text });
    } else {
      const blob = { ...at, content, encoding: "base64" };
      const { data } = await octokit.request("POST /repos/{owner}/{repo}/git/blobs", blob);
      entries.push({ ...file, sha: data.sha });
    }
  }
  return entries;
}
