/**
 * Fetches the logs of a commit's failed checks for the next attempt, so that the agent can fix the failure. The list of
 * failures comes with a query that a later brief needs anyway; each log is one more call. Errors here never fail a
 * brief.
 */
import * as z from "zod";
import type { Brief } from "../../contracts/brief.ts";
import { redact } from "../../contracts/redact.ts";
import { cut, tail } from "../../text/text.ts";
import { ask } from "../client/graphql.ts";
import type { Task } from "./task.ts";

/** GitHub Actions' own app: a check and its log share one number. */
const ACTIONS = "github-actions";
const RUN_JOB = "run-job.yml";
/** Each log costs a call, and the first failure usually explains the others. */
const MAX_LOGS = 2;
/** Bytes of a log to keep, from its end, and to read in total. */
const KEPT_BYTES = 128 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_LINES = 120;
const MAX_CHARACTERS = 8_000;
const MAX_NAME = 200;

/** Fragment for a query on a commit. */
export const FAILED_CHECKS = `
statusCheckRollup {
  contexts(first: 50) {
    nodes {
      __typename
      ... on CheckRun { databaseId name conclusion checkSuite { app { slug } workflowRun { file { path } } } }
    }
  }
}`;

const checkRun = z.object({
  __typename: z.literal("CheckRun"),
  databaseId: z.number(),
  name: z.string(),
  conclusion: z.string().nullable(),
  checkSuite: z.object({
    app: z.object({ slug: z.string() }).nullable(),
    workflowRun: z.object({ file: z.object({ path: z.string() }).nullish() }).nullish(),
  }),
});

export interface FailedCheck {
  readonly job_id: number;
  readonly name: string;
}

/** Skips everything but check runs, which alone have logs. */
export const failedChecksSchema = z
  .object({ contexts: z.object({ nodes: z.array(checkRun.nullable().catch(null)) }) })
  .nullish()
  .transform((rollup): readonly FailedCheck[] =>
    (rollup?.contexts.nodes ?? []).flatMap((check) => {
      if (check === null || check.checkSuite.app?.slug !== ACTIONS) return [];
      const failed = check.conclusion === "FAILURE" || check.conclusion === "TIMED_OUT";
      const ours = check.checkSuite.workflowRun?.file?.path.endsWith(RUN_JOB) === true;
      return failed && !ours ? [{ job_id: check.databaseId, name: check.name }] : [];
    }),
  )
  .catch([]);

export async function readFailedLogs(task: Task, failed: readonly FailedCheck[]): Promise<Brief["failed_checks"]> {
  const read = await Promise.all(failed.slice(0, MAX_LOGS).map(async (check) => readOne(task, check)));
  return read.filter((one) => one !== null);
}

async function readOne({ octokit, at }: Task, { job_id, name }: FailedCheck) {
  // Unparsed and streamed: a log can have hundreds of megabytes, of which only the end is used.
  const request = { parseSuccessResponseBody: false };
  const log = await octokit
    .request("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", { ...at, job_id, request })
    .then(({ data }: { data: unknown }) => (data instanceof ReadableStream ? endOf(data) : ""))
    .then(errorPart)
    // On any error the agent simply gets no log.
    .catch(() => "");
  return log === "" ? null : { name: cut(redact(name), MAX_NAME), log };
}

async function endOf(body: ReadableStream<Uint8Array>): Promise<string> {
  let end = Buffer.alloc(0);
  let seen = 0;
  for await (const chunk of body) {
    seen += chunk.length;
    end = Buffer.concat([end, chunk]);
    if (end.length > KEPT_BYTES * 2) end = end.subarray(-KEPT_BYTES);
    if (seen > MAX_BYTES) break;
  }
  return end.subarray(-KEPT_BYTES).toString("utf8");
}

const STAMP = /^\uFEFF?\d{4}-\d\d-\d\dT[\d:.]+Z /;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
const COLOUR = /\u001b\[[\d;]*[A-Za-z]/g;
const ERROR = "##[error]";

/** The lines up to the last error; what follows is cleanup. */
function errorPart(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.replace(STAMP, "").replace(COLOUR, ""));
  const last = lines.findLastIndex((line) => line.startsWith(ERROR));
  const telling = lines.slice(0, last < 0 ? lines.length : last + 1).slice(-MAX_LINES);
  return tail(redact(telling.join("\n").trim()), MAX_CHARACTERS);
}

const FAILED_QUERY = `
query FailedChecks($owner: String!, $repo: String!, $sha: String!) {
  repository(owner: $owner, name: $repo) { object(expression: $sha) { ... on Commit { ${FAILED_CHECKS} } } }
}`;

const failedSchema = z.object({
  repository: z.object({ object: z.object({ statusCheckRollup: failedChecksSchema }).nullable() }).nullable(),
});

/** Failed checks of any commit. */
export async function readFailedChecks(
  { octokit, at }: Pick<Task, "octokit" | "at">,
  sha: string | null,
): Promise<readonly FailedCheck[]> {
  if (sha === null) return [];
  const { repository } = await ask(octokit, FAILED_QUERY, { ...at, sha }, failedSchema);
  return repository?.object?.statusCheckRollup ?? [];
}
