/** Renders a job's sticky comment: state, usage, possible commands, and the hidden marker by which it is found. */
import { type RunAction, USUAL_RUN_ACTION } from "../../contracts/run-action.ts";
import { actionsWork, heldFiles, isFinal, isSenderAsked, type Job } from "../../domain/job/job.ts";
import { isOnTheirs } from "../../domain/job/target.ts";
import { stateOf } from "./job-state.ts";
import { jobMarker } from "./marker.ts";
import { aboutFiles } from "./market.ts";
import { mentionLine } from "./mention.ts";
import { usageLine } from "./numbers.ts";
import { code, cutBody, titleLine } from "./plain.ts";
import { newWorkflow } from "./run-job-workflow.ts";

const commandsOf = (job: Job): string => {
  if (job.status === "pending_payment") return "`/job pay` · `/job cancel`";
  if (heldFiles(job) !== null && !isFinal(job.status))
    return `\`${aboutFiles(job, "run-checks")}\` · \`${aboutFiles(job, "approve")}\` · \`/job reject\` · \`/job cancel\``;
  if (isSenderAsked(job) && !isFinal(job.status)) return "`/job approve` · `/job reject` · `/job cancel`";
  if (job.status === "waiting_for_user") return "`/job <answer>` · `/job cancel`";
  if (!isFinal(job.status)) return "`/job status` · `/job cancel`";
  if (isOnTheirs(job)) return "`/job fix` · `/job help`";
  if (job.status === "failed") return "`/job retry` · `/job help`";
  return job.pull_request !== null && job.merged_at === null && job.status === "verified"
    ? "`/job <text>` on the pull request asks for more · `/job help`"
    : "`/job help`";
};

interface Around {
  /** What a new workflow file uses. */
  readonly run_action?: RunAction;
  /** Where GitHub's pages are. */
  readonly web_url?: string | null;
}

export function statusComment(job: Job, { run_action = USUAL_RUN_ACTION, web_url = null }: Around = {}): string {
  const { headline, paragraphs } = stateOf(job, "comment", web_url);
  const round = job.round > 1 ? ` · round ${job.round}` : "";
  const usage = usageLine(job);
  const update = actionsWork(job)?.old_workflow && isFinal(job.status) ? newWorkflow(run_action) : null;
  const text = [`**${headline}** · ${titleLine(job.title)}`, ...paragraphs, mentionLine(job, web_url), usage, update]
    .filter((part) => part !== null)
    .join("\n\n");
  const footer = `<sub>Job ${code(job.id)}${round} · ${commandsOf(job)}</sub>`;
  return cutBody(text, `\n\n${footer}\n\n${jobMarker(job.id)}`);
}
