/** read-run: reads the state of a `run-job.yml` run, in case its webhooks were lost. */

import { RUN_COMMIT_PREFIX } from "../../contracts/brief.ts";
import type { Effect } from "../../domain/job/effect.ts";
import { GONE, isOnActions, type Run, runOf } from "../../domain/job/job.ts";
import { mayHaveEndedUnbegun } from "../../domain/job/unbegun.ts";
import type { Attempt } from "../../engine/ports/performer.ts";
import { attempted } from "../client/errors.ts";
import { WORKFLOW_PATH } from "./branch-state.ts";
import { laterOf } from "./one-call.ts";
import { done, reported, type Task } from "./task.ts";

/** Runs of the branch to search: every push leaves one, most of them skipped. Dispatched runs count too. */
const LOOK_BACK = 20;

interface RunAnswer {
  readonly id: number;
  readonly run_attempt?: number | undefined;
  readonly html_url: string;
  readonly status: string | null;
  readonly conclusion: string | null;
  readonly head_sha: string;
  readonly path: string;
  readonly head_commit: { readonly message: string } | null;
}

/** GitHub's other states all mean that the run has not begun (github-facts 2.13). */
export const runStatus = (status: string | null): Run["status"] =>
  status === "completed" ? "completed" : status === "in_progress" ? "in_progress" : "queued";

const isBriefRun = (run: RunAnswer, brief_sha: string | null): boolean =>
  run.path.split("@")[0] === WORKFLOW_PATH &&
  (brief_sha === null || run.head_sha === brief_sha) &&
  (run.head_commit?.message ?? "").startsWith(RUN_COMMIT_PREFIX);

async function findRun({ octokit, at, job }: Task): Promise<RunAnswer | null> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/actions/runs", {
    ...at,
    branch: job.branch,
    per_page: LOOK_BACK,
  });
  return data.workflow_runs.find((run) => isBriefRun(run, job.brief_sha)) ?? null;
}

export async function readRun(task: Task, { run_id }: Extract<Effect, { type: "read-run" }>): Promise<Attempt> {
  const answer = await attempted<RunAnswer | null>(task.now, async () =>
    run_id === null
      ? findRun(task)
      : (await task.octokit.request("GET /repos/{owner}/{repo}/actions/runs/{run_id}", { ...task.at, run_id })).data,
  );
  if (!answer.ok) {
    if (answer.githubError.kind === "gone") return knownRun(task, { status: "completed", conclusion: GONE });
    if (answer.githubError.kind === "forbidden") return knownRun(task, {});
    return { ended: "later", ...laterOf(answer.githubError) };
  }
  const found = answer.value;
  if (found === null) return done;
  const run: Run = {
    id: found.id,
    attempt: found.run_attempt ?? 1,
    url: found.html_url,
    status: runStatus(found.status),
    conclusion: found.conclusion,
  };
  const asks = isOnActions(task.job) && mayHaveEndedUnbegun(task.job, run);
  const began = asks ? await attempted(task.now, () => hasBegun(task, run)) : null;
  if (began?.ok === false && !DENIED.has(began.githubError.kind))
    return { ended: "later", ...laterOf(began.githubError) };
  return reported({
    type: "run-changed",
    run,
    head_sha: found.head_sha,
    commit_message: found.head_commit?.message ?? "",
    fresh: true,
    ...(began?.ok === true && !began.value ? { never_began: true } : {}),
  });
}

/** Then nobody knows, and it counts as begun. */
const DENIED: ReadonlySet<string> = new Set(["gone", "forbidden"]);
const MOST_JOBS = 100;

/** Whether a runner took any of its jobs. */
async function hasBegun({ octokit, at }: Task, { id }: Run): Promise<boolean> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", {
    ...at,
    run_id: id,
    filter: "all",
    per_page: MOST_JOBS,
  });
  return (
    data.total_count > data.jobs.length ||
    data.jobs.some(
      ({ runner_id, runner_name, steps = [] }) => Boolean(runner_id) || Boolean(runner_name) || steps.length > 0,
    )
  );
}

/** The run as the job knows it, since GitHub does not show it. */
function knownRun({ job }: Task, differs: Partial<Run>): Attempt {
  const known = runOf(job);
  if (known === null) return done;
  return reported({
    type: "run-changed",
    run: { ...known, ...differs },
    head_sha: job.brief_sha ?? "",
    commit_message: `${RUN_COMMIT_PREFIX}${job.id}`,
    fresh: true,
  });
}
