/**
 * What the failing checks of a commit have logged, for the next try: red CI is to be repaired, not repeated. Which ones
 * failed comes with the reading that a later brief needs anyway; each log is one more. Nothing here may fail a brief.
 */
import { z } from "zod";
import type { Brief } from "../../contracts/brief.ts";
import { redact } from "../../contracts/redact.ts";
import { cut, tail } from "../../text/text.ts";
import type { Task } from "./task.ts";

/** The jobs of GitHub's own runner: the log of a check has its check's number. */
const ACTIONS = "github-actions";
const RUN_JOB = "run-job.yml";
/** Logs that one brief brings: each costs a call, and the first failure mostly explains the others. */
const MOST_LOGS = 2;
/** The end of a log is kept while it is read, and so much of a log is read at all. */
const KEPT_BYTES = 128 * 1024;
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_LINES = 120;
const MOST_CHARACTERS = 8_000;
const MOST_NAME = 200;

/** Part of a query on a commit. */
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

/** Anything else than such a check run is left out: it has no log to read. */
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
  const read = await Promise.all(failed.slice(0, MOST_LOGS).map(async (check) => readOne(task, check)));
  return read.filter((one) => one !== null);
}

async function readOne({ octokit, at }: Task, { job_id, name }: FailedCheck) {
  // Unparsed: a log can have hundreds of megabytes, of which the end is wanted.
  const request = { parseSuccessResponseBody: false };
  const log = await octokit
    .request("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", { ...at, job_id, request })
    .then(({ data }: { data: unknown }) => (data instanceof ReadableStream ? endOf(data) : ""))
    .then(tellingPart)
    // Gone, forbidden, cut off: the try is told less, and goes on.
    .catch(() => "");
  return log === "" ? null : { name: cut(redact(name), MOST_NAME), log };
}

async function endOf(body: ReadableStream<Uint8Array>): Promise<string> {
  let end = Buffer.alloc(0);
  let seen = 0;
  for await (const chunk of body) {
    seen += chunk.length;
    end = Buffer.concat([end, chunk]);
    if (end.length > KEPT_BYTES * 2) end = end.subarray(-KEPT_BYTES);
    if (seen > MOST_BYTES) break;
  }
  return end.subarray(-KEPT_BYTES).toString("utf8");
}

const STAMP = /^\uFEFF?\d{4}-\d\d-\d\dT[\d:.]+Z /;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
const COLOUR = /\u001b\[[\d;]*[A-Za-z]/g;
const ERROR = "##[error]";

/** The lines that lead to the last error: what comes after it is a job that cleans up. */
function tellingPart(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.replace(STAMP, "").replace(COLOUR, ""));
  const last = lines.findLastIndex((line) => line.startsWith(ERROR));
  const telling = lines.slice(0, last < 0 ? lines.length : last + 1).slice(-MOST_LINES);
  return tail(redact(telling.join("\n").trim()), MOST_CHARACTERS);
}
