/**
 * read-result: reads the agent's result from the branch. One query returns head, result and log; changed files need a
 * second call, unless the head is still the brief or the run has submitted its result.
 */
import * as z from "zod";
import { jobFolder, LOG_FILE, RESULT_FILE } from "../../contracts/brief.ts";
import { parseLog } from "../../contracts/log-line.ts";
import { redact } from "../../contracts/redact.ts";
import { NO_USAGE, parseResult } from "../../contracts/result.ts";
import type { Effect } from "../../domain/job/effect.ts";
import { type AgentResult, isOnActions, type Job, runOf } from "../../domain/job/job.ts";
import { reportedResult } from "../../domain/job/reported-result.ts";
import { cleanLog } from "../../domain/job/stored-log.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { ask, BLOB, blobSchema } from "../client/graphql.ts";
import { laterOf } from "./one-call.ts";
import { reported, type Task } from "./task.ts";

type ReadResult = Extract<Effect, { type: "read-result" }>;

const QUERY = `
query Result($owner: String!, $repo: String!, $branch: String!, $result: String!, $log: String!, $folder: String!) {
  repository(owner: $owner, name: $repo) {
    ref(qualifiedName: $branch) { target { ... on Commit { oid message } } }
    result: object(expression: $result) { ${BLOB} }
    log: object(expression: $log) { ${BLOB} }
    folder: object(expression: $folder) { __typename }
  }
}`;

const schema = z.object({
  repository: z.object({
    ref: z.object({ target: z.object({ oid: z.string(), message: z.string() }) }).nullable(),
    result: blobSchema,
    log: blobSchema,
    folder: z.object({}).nullable(),
  }),
});

type Left = z.infer<typeof schema>["repository"];

const NO_WORK = { reason: null, model: "unknown", usage: NO_USAGE, cost_cents: null, changed_files: [] } as const;

/** The agent's own account of its work, or a substitute when there is none. */
function workOf(
  job: Job,
  left: Left,
  head: { readonly oid: string; readonly message: string },
): Omit<AgentResult, "changed_files"> {
  if (left.result !== null) {
    const result = left.result.text === null || left.result.isTruncated ? null : parseResult(left.result.text);
    if (result === null)
      return {
        ...NO_WORK,
        outcome: "failed",
        title: job.title,
        body: "",
        reason: "The agent's result could not be read.",
      };
    return reportedResult(result, job.title);
  }
  if (runOf(job)?.conclusion !== "success")
    return { ...NO_WORK, outcome: "failed", title: job.title, body: "", reason: null };
  // A successful run without a result counts as done, described by its commit.
  const own = head.oid === job.brief_sha ? job.title : head.message;
  const [title = "", ...body] = own.split("\n");
  return {
    ...NO_WORK,
    outcome: "done",
    title: redact(title.trim()) || job.title,
    body: redact(body.join("\n").trim()),
  };
}

/** Files that differ from the base, without the job's own; GitHub lists the first 300. */
async function changedFiles({ octokit, at, job, now }: Task, head: string): Promise<string[]> {
  const since = (base: string) =>
    octokit.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
      ...at,
      basehead: `${base}...${head}`,
      per_page: 1,
    });
  const { branch, sha } = job.base;
  const named = await attempted(now, () => since(branch ?? sha ?? "HEAD"));
  if (!named.ok && (named.githubError.kind !== "gone" || sha === null)) throw named.thrown;
  // The branch may have been renamed; the commit id works under any name.
  const { data } = named.ok ? named.value : await since(sha ?? "HEAD");
  const own = `${jobFolder(job.id)}/`;
  return (data.files ?? []).map(({ filename }) => filename).filter((path) => !path.startsWith(own));
}

export async function readResult(task: Task, attemptRef: ReadResult): Promise<Attempt> {
  const { job } = task;
  const folder = `refs/heads/${job.branch}:${jobFolder(job.id)}`;
  const answer = await attempted(task.now, async (): Promise<Attempt> => {
    const { repository: left } = await ask(
      task.octokit,
      QUERY,
      {
        ...task.at,
        branch: `refs/heads/${job.branch}`,
        result: `${folder}/${RESULT_FILE}`,
        log: `${folder}/${LOG_FILE}`,
        folder,
      },
      schema,
    );
    const head = left.ref?.target ?? null;
    if (head === null) return gone(job, attemptRef);
    const told = handedIn(job, attemptRef, left.folder === null, head);
    if (told !== null) return told;
    const untouched = job.round === 1 && head.oid === job.brief_sha && attemptRef.attempt === 1;
    const result = {
      ...workOf(job, left, head),
      changed_files: untouched ? [] : await changedFiles(task, head.oid),
    };
    return {
      ended: "done",
      command: {
        type: "result-read",
        round: attemptRef.round,
        attempt: attemptRef.attempt,
        result,
        head_sha: head.oid,
      },
      ...(left.log?.text ? { log: cleanLog(parseLog(left.log.text)) } : {}),
    };
  });
  return answer.ok ? answer.value : { ended: "later", ...laterOf(answer.githubError) };
}

/**
 * The submitted result, if the branch confirms it: pushed with our token, which removes the folder. If the folder is
 * still there, the branch is read as usual, since the run's own token may have pushed. Null when nothing was submitted.
 */
function handedIn(
  job: Job,
  { round, attempt }: ReadResult,
  clean: boolean,
  head: { readonly oid: string; readonly message: string },
): Attempt | null {
  if (!isOnActions(job)) return null;
  const { result } = job;
  const { handed_in, run } = job.work;
  if (result === null || handed_in === null || handed_in.run_id !== run?.id || handed_in.attempt !== run.attempt)
    return null;
  const read = { type: "result-read", round, attempt, head_sha: head.oid } as const;
  if (clean) return reported({ ...read, result, clean: true });
  // A run that reported a failure has no other result, whoever pushed.
  if (head.oid !== job.brief_sha && result.outcome !== "failed") return null;
  // Nothing was pushed: the text may be kept, the claimed changes not.
  const lost = result.changed_files.length > 0;
  return reported({ ...read, result: lost ? { ...result, ...LOST, reason: NEVER_PUSHED } : result });
}

const LOST = { outcome: "failed", permanent_error: null, changed_files: [] } as const;

const NEVER_PUSHED = "The run submitted its result, but its push did not reach the branch.";

/** The branch no longer exists: nothing can be read, which ends the attempt. */
const gone = (job: Job, { round, attempt }: ReadResult): Attempt => ({
  ended: "done",
  command: {
    type: "result-read",
    round,
    attempt,
    result: { ...NO_WORK, outcome: "failed", title: job.title, body: "", reason: "The job's branch was deleted." },
    head_sha: job.head_sha ?? "",
  },
});
