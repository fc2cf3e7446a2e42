/**
 * Translates workflow runs on a job branch: runs of our workflow report the job's progress, all others are the
 * repository's CI. Skipped runs of our workflow are passed on; the core knows which run it waits for.
 */
import * as z from "zod";
import { WORKFLOW_FILE } from "../../contracts/brief.ts";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";
import { jobOfBranch, type Run } from "../../domain/job/job.ts";
import { head } from "../../text/text.ts";
import {
  commandAuthor,
  ignored,
  jobEvent,
  type Listener,
  listener,
  ofPulls,
  pullsEvent,
  source,
} from "./event-listener.ts";
import { queueTests } from "./merge-queue.ts";
import { checkNews, failedOf } from "./trigger-news.ts";

/** Characters of a commit message's first line that are kept. */
const COMMIT_LINE_LIMIT = 500;

const schema = z.object({
  ...source,
  repository: source.repository.extend({ default_branch: z.string().optional() }),
  workflow: z.object({ path: z.string() }).nullish(),
  workflow_run: z.object({
    ...ofPulls,
    id: z.number(),
    name: z.string().nullish(),
    run_attempt: z.number(),
    html_url: z.string(),
    path: z.string().optional(),
    event: z.string().optional(),
    head_branch: z.string().nullable(),
    head_sha: z.string(),
    conclusion: z.string().nullable(),
    actor: commandAuthor.nullish().catch(null),
    head_commit: z.object({ message: z.string() }).nullish(),
    head_repository: z.object({ id: z.number() }).nullish(),
  }),
});

type Payload = z.output<typeof schema>;

/** A path may include the ref: `….yml@refs/heads/main`. */
const isOurs = ({ workflow_run: run, workflow }: Payload): boolean =>
  (run.path ?? workflow?.path ?? "").split("@")[0]?.endsWith(WORKFLOW_FILE) ?? false;

/** What CI says of the default branch. */
function onDefaultBranch(payload: Payload, status: Run["status"]): TranslatedEvent {
  const {
    id,
    head_sha: sha,
    head_branch: branch,
    head_repository,
    html_url: url,
    name,
    conclusion,
  } = payload.workflow_run;
  if (status !== "completed" || isOurs(payload) || head_repository?.id !== payload.repository.id)
    return ignored("the run is not on a job branch");
  return checkNews(payload, { name: name ?? "", sha, branch, url, run: id }, conclusion);
}

/** Of a fork nothing is told that could start a job. */
const failedPull = ({ workflow_run: run, repository }: Payload) =>
  run.head_repository?.id === repository.id
    ? failedOf(run.conclusion, run.head_sha, run.actor ? { id: run.actor.id, is_bot: run.actor.type === "Bot" } : null)
    : {};

/** Uses the action, since `status` has further values: requested, waiting and pending. */
const run = (status: Run["status"]): Listener =>
  listener(schema, (payload) => {
    const { workflow_run: run } = payload;
    if (run.event === "merge_group" && run.head_branch !== null && run.head_repository?.id === payload.repository.id)
      return queueTests(payload, run.head_branch, run.head_sha);
    const job = run.head_branch === null ? null : jobOfBranch(run.head_branch);
    if (job === null && status === "completed" && run.pull_requests.length > 0)
      return pullsEvent(payload, run.pull_requests, { type: "look", forced: false }, failedPull(payload));
    if (job === null) return onDefaultBranch(payload, status);
    if (run.head_repository?.id !== payload.repository.id) return ignored("the run belongs to a fork");
    const { id, run_attempt: attempt, head_sha } = run;
    if (!isOurs(payload)) {
      return jobEvent(payload, job, {
        type: "ci-run-changed",
        id,
        attempt,
        sha: head_sha,
        complete: status === "completed",
      });
    }
    const conclusion = status === "completed" ? run.conclusion : null;
    const commit_message = head(run.head_commit?.message.split(/\r?\n/, 1)[0] ?? "", COMMIT_LINE_LIMIT);
    return jobEvent(payload, job, {
      type: "run-changed",
      run: { id, attempt, url: run.html_url, status, conclusion },
      head_sha,
      commit_message,
    });
  });

export const runRequested = run("queued");
export const runInProgress = run("in_progress");
export const runCompleted = run("completed");
