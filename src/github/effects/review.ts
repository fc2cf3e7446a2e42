/**
 * judge: shows the judge model the changes at exactly the commit in question and returns its opinion. Parts that are
 * too long are omitted and marked.
 */

import { redact } from "../../contracts/redact.ts";
import type { Effect } from "../../domain/job/effect.ts";
import { type Job, marketWork } from "../../domain/job/job.ts";
import type { ReviewRequest } from "../../engine/ports/judge.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { laterOf } from "./one-call.ts";
import { reported, type Task } from "./task.ts";

type AskJudge = Extract<Effect, { type: "judge" }>;

/** Characters of patches that the judge sees; about 15,000 tokens. */
const MAX_CHANGE = 60_000;
/** GitHub lists no more files in a comparison. */
const MAX_FILES = 300;

interface Change {
  readonly text: string;
  readonly whole: boolean;
}

interface ChangedFile {
  readonly filename: string;
  readonly status: string;
  readonly previous_filename?: string | undefined;
  readonly patch?: string | undefined;
}

/** Binary, very long and moved files have no complete patch: they are named, and the change counts as partial. */
export function changeOf(files: readonly ChangedFile[]): Change {
  const parts: string[] = [];
  let whole = files.length < MAX_FILES;
  let left = MAX_CHANGE;
  for (const { filename, status, previous_filename, patch } of files) {
    const from = previous_filename === undefined ? "" : ` from ${JSON.stringify(previous_filename)}`;
    const shown = `${status} ${JSON.stringify(filename)}${from}\n${patch ?? "(not shown)"}\n`;
    if (patch === undefined || status === "renamed") whole = false;
    if (shown.length > left) return { text: parts.join("\n"), whole: false };
    left -= shown.length;
    parts.push(shown);
  }
  return { text: parts.join("\n"), whole };
}

async function readChange({ octokit, at, job }: Task, sha: string): Promise<Change> {
  const base = job.base.branch ?? "HEAD";
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
    ...at,
    basehead: `${base}...${sha}`,
    // Commits are paged; the files come with the first page.
    per_page: 1,
  });
  return changeOf(data.files ?? []);
}

const reviewRequestOf = (job: Job, change: Change | null): ReviewRequest => ({
  title: redact(job.title),
  task: redact(job.rounds.at(-1)?.asked ?? job.task),
  requirements: redact(
    [marketWork(job)?.description, marketWork(job)?.requirements].filter((text) => text !== "").join("\n\n"),
  ),
  said: redact([job.result?.title, job.result?.body].filter((text) => text).join("\n\n")),
  change: change === null ? null : redact(change.text),
  whole: change?.whole ?? true,
});

export async function judge(task: Task, { round, attempt, sha }: AskJudge): Promise<Attempt> {
  const at = { type: "judged", round, attempt, sha } as const;
  if (task.judge === null) return reported({ ...at, verdict: "none", reasons: [] });
  const change = await attempted(task.now, async () => (sha === null ? null : readChange(task, sha)));
  if (!change.ok) return { ended: "later", ...laterOf(change.githubError) };
  const opinion = await task.judge.judge(reviewRequestOf(task.job, change.value));
  if (opinion.ended === "later") return opinion;
  return reported({ ...at, verdict: opinion.verdict, reasons: opinion.reasons });
}
