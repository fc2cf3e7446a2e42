/**
 * read-result: what the agent left on the branch. One query for head, result and log; the changed files need a second
 * call, which is spared when the head is still the brief.
 */
import { z } from "zod";
import type { Attempt } from "../../../engine/ports.ts";
import type { Effect } from "../../../job/effect.ts";
import type { Job, Work } from "../../../job/job.ts";
import { jobFolder, LOG_FILE, RESULT_FILE } from "../../../wire/brief.ts";
import { parseLog } from "../../../wire/log-line.ts";
import { redact } from "../../../wire/redact.ts";
import { NO_USAGE, parseResult } from "../../../wire/result.ts";
import { tried } from "../errors.ts";
import { ask, BLOB, blobSchema } from "../graphql.ts";
import { code } from "../texts/plain.ts";
import { isBriefMessage, type Turn } from "./brief.ts";
import { laterOf } from "./one-call.ts";
import type { Task } from "./task.ts";

type ReadResult = Extract<Effect, { type: "read-result" }>;

const QUERY = `
query Result($owner: String!, $repo: String!, $branch: String!, $result: String!, $log: String!) {
  repository(owner: $owner, name: $repo) {
    ref(qualifiedName: $branch) { target { ... on Commit { oid message } } }
    result: object(expression: $result) { ${BLOB} }
    log: object(expression: $log) { ${BLOB} }
  }
}`;

const schema = z.object({
  repository: z.object({
    ref: z.object({ target: z.object({ oid: z.string(), message: z.string() }) }).nullable(),
    result: blobSchema,
    log: blobSchema,
  }),
});

type Left = z.infer<typeof schema>["repository"];

const NO_WORK = { reason: null, model: "unknown", usage: NO_USAGE, cost_cents: null, changed_files: [] } as const;

/** Names of put-back files that the agent's words are followed by. */
const MOST_NAMED = 10;

/** What was put back is part of what the work says of itself: it may lack the half that a person has to do. */
function withPutBack(body: string, paths: readonly string[]): string {
  if (paths.length === 0) return body;
  const names = paths.slice(0, MOST_NAMED).map((path) => code(path));
  const more = paths.length > MOST_NAMED ? ` and ${paths.length - MOST_NAMED} more` : "";
  return `${body}\n\nPut back, since a job may not change it here: ${names.join(", ")}${more}.`.trim();
}

/** What the agent says of its work, or what stands for that where it says nothing. */
function workOf(job: Job, turn: Turn, left: Left, message: string): Omit<Work, "changed_files"> {
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
    return {
      outcome: result.outcome,
      title: redact(result.title) || job.title,
      body: withPutBack(redact(result.body), result.put_back),
      reason: result.reason === undefined ? null : redact(result.reason),
      model: result.model,
      usage: result.usage,
      cost_cents: result.cost_cents,
    };
  }
  if (job.run?.conclusion !== "success")
    return { ...NO_WORK, outcome: "failed", title: job.title, body: "", reason: null };
  // a green run without a result counts as done, in the words of its own commit
  const own = isBriefMessage(message, job, turn) ? job.title : message;
  const [title = "", ...body] = own.split("\n");
  return {
    ...NO_WORK,
    outcome: "done",
    title: redact(title.trim()) || job.title,
    body: redact(body.join("\n").trim()),
  };
}

/** Files that differ from the base, without the job's own; the first 300, as GitHub lists them. */
async function changedFiles({ octokit, at, job }: Task, head: string): Promise<string[]> {
  const base = job.base.branch ?? job.base.sha ?? "HEAD";
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
    ...at,
    basehead: `${base}...${head}`,
    per_page: 1,
  });
  const own = `${jobFolder(job.id)}/`;
  return (data.files ?? []).map(({ filename }) => filename).filter((path) => !path.startsWith(own));
}

export async function readResult(task: Task, turn: ReadResult): Promise<Attempt> {
  const { job } = task;
  const folder = `refs/heads/${job.branch}:${jobFolder(job.id)}`;
  const answer = await tried(task.now, async (): Promise<Attempt> => {
    const { repository: left } = await ask(
      task.octokit,
      QUERY,
      {
        ...task.at,
        branch: `refs/heads/${job.branch}`,
        result: `${folder}/${RESULT_FILE}`,
        log: `${folder}/${LOG_FILE}`,
      },
      schema,
    );
    const head = left.ref?.target ?? null;
    if (head === null) return gone(job, turn);
    const untouched = job.round === 1 && isBriefMessage(head.message, job, turn) && turn.try === 1;
    const work = {
      ...workOf(job, turn, left, head.message),
      changed_files: untouched ? [] : await changedFiles(task, head.oid),
    };
    return {
      ended: "done",
      command: { type: "result-read", round: turn.round, try: turn.try, work, head_sha: head.oid },
      ...(left.log?.text ? { log: parseLog(left.log.text).map((line) => ({ ...line, text: redact(line.text) })) } : {}),
    };
  });
  return answer.ok ? answer.value : { ended: "later", ...laterOf(answer.trouble) };
}

/** The branch is not there any more: nothing can be read, and that is how the try has ended. */
const gone = (job: Job, { round, try: turn }: ReadResult): Attempt => ({
  ended: "done",
  command: {
    type: "result-read",
    round,
    try: turn,
    work: { ...NO_WORK, outcome: "failed", title: job.title, body: "", reason: "The job's branch is gone." },
    head_sha: job.head_sha ?? "",
  },
});
