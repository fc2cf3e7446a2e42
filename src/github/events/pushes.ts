/** Translates pushes and deleted branches. A push to the default branch tells whether the settings must be re-read. */
import * as z from "zod";
import { AUTOMATION_FILES } from "../../contracts/automation.ts";
import { CONFIG_FILE, jobFolder, TASK_FILE } from "../../contracts/brief.ts";
import { isLockFile } from "../../contracts/cache.ts";
import { type JobId, jobOfBranch } from "../../domain/job/job.ts";
import { SET_UP_BRANCH } from "../../domain/repository/set-up.ts";
import {
  branchEvent,
  ignored,
  isSelf,
  jobEvent,
  listener,
  person,
  repositoryOf,
  setUpEvent,
  source,
  translated,
} from "./event-listener.ts";

const BRANCH_REF = "refs/heads/";

/** Files whose content is cached. */
const KEPT_FILES: ReadonlySet<string> = new Set([...AUTOMATION_FILES, ".github/workflows/run-job.yml"]);

/** The message of a commit that merges a base branch into another. */
const MERGE = /^Merge /;

/** GitHub lists at most this many commits per push. */
const PUSH_COMMITS_LIMIT = 2_048;

const commit = z.object({
  added: z.array(z.string()).optional(),
  modified: z.array(z.string()).optional(),
  removed: z.array(z.string()).optional(),
});

const pushSchema = z.object({
  ...source,
  repository: source.repository.extend({ default_branch: z.string() }),
  ref: z.string(),
  after: z.string(),
  deleted: z.boolean(),
  created: z.boolean().optional(),
  forced: z.boolean().optional(),
  head_commit: commit.extend({ tree_id: z.string(), message: z.string().optional() }).nullish(),
  commits: z.array(commit).optional(),
  sender: person,
});

const isKept = (file: string): boolean => KEPT_FILES.has(file);

/** Whether the push brings one of them; what a merge brings along counts as well. */
const bringsKept = ({ commits = [] }: z.output<typeof pushSchema>): boolean =>
  commits.some(({ added = [], modified = [] }) => [...added, ...modified].some(isKept));

/** True when in doubt: an extra read is cheap, outdated settings are not. */
function changes(push: z.output<typeof pushSchema>, isMeant: (file: string) => boolean): boolean {
  const { commits = [] } = push;
  if (push.created === true || push.forced === true || push.head_commit == null) return true;
  if (commits.length === 0 || commits.length >= PUSH_COMMITS_LIMIT) return true;
  return commits.some(({ added, modified, removed }) =>
    [added, modified, removed].some((files) => files === undefined || files.some(isMeant)),
  );
}

export const pushed = listener(pushSchema, (payload, self) => {
  if (!payload.ref.startsWith(BRANCH_REF)) return ignored("the push is not to a branch");
  // A deletion has a delete event too, which is the one to use.
  if (payload.deleted) return ignored("the push deletes a branch");
  const branch = payload.ref.slice(BRANCH_REF.length);
  if (branch === payload.repository.default_branch) {
    return translated({
      type: "default-branch-moved",
      repository: repositoryOf(payload),
      branch,
      head_sha: payload.after,
      tree_sha: payload.head_commit?.tree_id ?? "",
      settings_changed: changes(payload, isKept),
      lock_files_changed: changes(payload, isLockFile),
    });
  }
  if (branch === SET_UP_BRANCH && !isSelf(payload.sender, self))
    return setUpEvent(payload, bringsKept(payload) ? { brings_files: payload.after } : {});
  const job = jobOfBranch(branch);
  if (job === null) {
    const moved = { repository: repositoryOf(payload), branch };
    return translated(
      bringsKept(payload) && !isSelf(payload.sender, self)
        ? { type: "files-pushed", head_sha: payload.after, ...moved }
        : { type: "branch-moved", deleted: false, ...moved },
    );
  }
  if (isSelf(payload.sender, self)) {
    if (takesFolder(payload.head_commit, job))
      return jobEvent(payload, job, { type: "head-moved", sha: payload.after, clean: true });
    // GitHub has updated the branch, as it was asked to
    return MERGE.test(payload.head_commit?.message ?? "")
      ? jobEvent(payload, job, { type: "head-moved", sha: payload.after })
      : ignored("our own push");
  }
  return branchEvent(payload, branch, { type: "head-moved", sha: payload.after });
});

/** Whether the push removes the job's folder, as a run's push with our token does; our own pushes are known already. */
function takesFolder(head: z.output<typeof pushSchema>["head_commit"], job: JobId): boolean {
  const { added, modified, removed } = head ?? {};
  if (added === undefined || modified === undefined || removed === undefined) return false;
  const folder = `${jobFolder(job)}/`;
  return (
    removed.includes(folder + TASK_FILE) &&
    removed.includes(folder + CONFIG_FILE) &&
    ![...added, ...modified].some((path) => path.startsWith(folder))
  );
}

const deleteSchema = z.object({ ...source, ref: z.string(), ref_type: z.string() });

export const refDeleted = listener(deleteSchema, (payload) => {
  if (payload.ref_type !== "branch") return ignored("the deleted ref is not a branch");
  const { ref: branch } = payload;
  return jobOfBranch(branch) === null
    ? translated({ type: "branch-moved", repository: repositoryOf(payload), branch, deleted: true })
    : branchEvent(payload, branch, { type: "branch-deleted" });
});
