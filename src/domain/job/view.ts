/**
 * The public view of a job: the body of outgoing webhooks and the API's answer. One flat object in snake case with ISO
 * times, without secrets or addresses that may hold one.
 */
import * as z from "zod";
import { approvedFrom } from "../market/agreement.ts";
import { LINE_LIMITS } from "./budget.ts";
import {
  fullName,
  heldFiles,
  isOnMarket,
  type Job,
  marketWork,
  questionOf,
  runOf,
  STATUSES,
  startedBy,
  statusAt,
} from "./job.ts";
import { outcomeField, outcomeOf, questionField } from "./outcome.ts";
import { theirs } from "./target.ts";
import { costOf } from "./usage.ts";

const time = z.iso.datetime().nullable();
const text = z.string().nullable();

const attachmentSchema = z.object({
  name: z.string(),
  type: z.string(),
  size: z.number().int().meta({ description: "In bytes." }),
});

/** As every dialect that may show more than its document says. */
export const waitsInLineSchema = z
  .object({
    position: z.number().int().meta({ description: "Its number in the repository's line, from 1." }),
    limit: z
      .enum(LINE_LIMITS)
      .meta({ description: "Of the repository's settings or a budget, which keeps it from beginning." }),
    most: z.number().meta({ description: "What that limit is: a number of jobs, or cents of a budget." }),
  })
  .nullable()
  .meta({ description: "The job is queued and waits for other jobs of the repository; null: it does not." });

export const waitsInLine = ({ line }: Job): z.infer<typeof waitsInLineSchema> =>
  line === null ? null : { position: line.position, limit: line.limit, most: line.most };

export const jobViewSchema = z
  .object({
    id: z.string(),
    status: z.enum(STATUSES),
    outcome: outcomeField,
    account: z.string().meta({ description: "Of the sender." }),
    repository: z.string().meta({ description: "`owner/name`." }),
    branch: z.string(),
    runner: z.enum(["actions", "market"]).meta({ description: "Who does the work." }),
    title: z.string(),
    description: z
      .string()
      .meta({ description: "What the market shows workers; empty for jobs that are not on the market." }),
    requirements: z.string(),
    skills: z.array(z.string()),
    prompt: z.string().meta({ description: "The task as it was given." }),
    attachments: z.array(attachmentSchema).meta({ description: "What the sender has put beside the prompt." }),
    requester: text.meta({ description: "GitHub login of the person who asked, if one did." }),
    started_by: z
      .object({ kind: z.enum(["schedule", "trigger"]), name: z.string() })
      .nullable()
      .meta({ description: "The repository's schedule or trigger that started it; null: somebody asked for it." }),
    price_cents: z.number().int(),
    time_limit_seconds: z.number(),
    attempt_count: z.number().int(),
    round: z.number().int().meta({ description: "1 for the first; a message or a retry opens the next." }),
    cancellation_requested: z.boolean(),
    waits_in_line: waitsInLineSchema,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    hold_expires_at: time,
    accepted_at: time,
    deadline_at: time,
    submitted_at: time,
    approved_from: time.meta({ description: "The work is left to the sender; from then on it counts as approved." }),
    merged_at: time,
    archived_at: time,
    agent_id: text.meta({ description: "The market's agent that holds the job or works on it." }),
    presented_to_agents: z.array(z.string()),
    pr_url: text,
    pr_branch: text.meta({
      description: "The branch of a person's pull request that the job works on; null: the job opens one of its own.",
    }),
    run_url: text,
    diff_url: text.meta({ description: "A worker's files that are on no branch, as GitHub shows them." }),
    result: text.meta({ description: "What the agent says of its work." }),
    output_attachments: z.array(attachmentSchema).meta({ description: "What the worker has put beside its words." }),
    changed_files: z.array(z.string()),
    cost_cents: z
      .number()
      .nullable()
      .meta({ description: "What the model has cost in all attempts, as far as they have told it." }),
    failure: text.meta({ description: "Why the last attempt failed." }),
    question: questionField,
    waiting_since: time.meta({ description: "Since when it waits for a person's answer; null unless it does." }),
  })
  .meta({ id: "Job" });

export type JobView = z.infer<typeof jobViewSchema>;

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

export function jobView(job: Job, now: number): JobView {
  const market = marketWork(job);
  return {
    id: job.id,
    status: statusAt(job, now),
    outcome: outcomeOf(job),
    account: job.account,
    repository: fullName(job.repository),
    branch: job.branch,
    runner: job.work.kind,
    title: job.title,
    description: market?.description ?? "",
    requirements: market?.requirements ?? "",
    skills: [...(market?.skills ?? [])],
    prompt: job.task,
    attachments: [...(market?.enclosure?.attachments ?? [])],
    requester: job.requester,
    started_by: startedBy(job),
    price_cents: job.price_cents,
    time_limit_seconds: job.time_limit_seconds,
    attempt_count: job.attempt_count,
    round: job.round,
    cancellation_requested: job.cancellation_requested,
    waits_in_line: waitsInLine(job),
    created_at: iso(job.created_at),
    updated_at: iso(job.updated_at),
    hold_expires_at: isoOrNull(market?.hold?.expires_at ?? null),
    accepted_at: isoOrNull(job.accepted_at),
    deadline_at: isoOrNull(job.deadline_at),
    submitted_at: isoOrNull(job.submitted_at),
    approved_from: isoOrNull(isOnMarket(job) && job.work.sender_asked_at !== null ? approvedFrom(job) : null),
    merged_at: isoOrNull(job.merged_at),
    archived_at: isoOrNull(job.archived_at),
    agent_id: market?.hold?.agent_id ?? market?.worker?.agent_id ?? null,
    presented_to_agents: [...(market?.presented_to_agents ?? [])],
    pr_url: job.pull_request?.url ?? null,
    pr_branch: theirs(job)?.branch ?? null,
    run_url: runOf(job)?.url ?? null,
    diff_url: heldFiles(job)?.url ?? null,
    result: job.result?.body || job.result?.title || null,
    output_attachments: [...(market?.delivery?.attachments ?? [])],
    changed_files: [...(job.result?.changed_files ?? [])],
    cost_cents: costOf(job),
    failure: job.failure,
    question: questionOf(job),
    waiting_since: isoOrNull(job.status === "waiting_for_user" ? job.question_asked_at : null),
  };
}
