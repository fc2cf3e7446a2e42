/** Renders the check run `journeyman` and maps a job's status to GitHub's check states. */

import type { LogLine } from "../../contracts/log-line.ts";
import { commitToName, heldFiles, isSenderAsked, type Job, runOf } from "../../domain/job/job.ts";
import { answerUrl } from "../../domain/job/links.ts";
import { cut } from "../../text/text.ts";
import { stateOf } from "./job-state.ts";
import { startLine, usageLine } from "./numbers.ts";
import { code, cutBody, fenced, titleLine } from "./plain.ts";

export const CHECK_NAME = "journeyman";

/** GitHub takes 65,535 characters per text; bytes are bounded as well. */
const MAX_TEXT = 60_000;
const MAX_TITLE = 255;
/** The end of the log is the part that people look for. */
const LOG_LINES = 200;
const MAX_LOG = 30_000;

type CheckStatus =
  | { readonly status: "queued" | "in_progress" }
  | {
      readonly status: "completed";
      readonly conclusion: "success" | "failure" | "neutral" | "cancelled" | "action_required";
    };

export interface CheckFace {
  status: "queued" | "in_progress" | "completed";
  conclusion?: "success" | "failure" | "neutral" | "cancelled" | "action_required";
  details_url?: string;
  output: { title: string; summary: string; text?: string };
  actions?: { label: string; description: string; identifier: string }[];
}

/** Waits for the sender's decision whether a worker's files may run. */
const waitsForLeave = (job: Job): boolean =>
  job.status === "submitted" && heldFiles(job) !== null && isSenderAsked(job);

function checkStatusOf(job: Job): CheckStatus {
  switch (job.status) {
    case "pending_payment":
    case "queued":
    case "held":
      return { status: "queued" };
    case "accepted":
      return { status: "in_progress" };
    case "submitted":
      // GitHub shows buttons only on a completed check.
      return waitsForLeave(job) ? { status: "completed", conclusion: "action_required" } : { status: "in_progress" };
    case "waiting_for_user":
      return { status: "completed", conclusion: "action_required" };
    case "verified":
      // A question or refusal ends the job but does not deserve a success.
      return {
        status: "completed",
        conclusion: job.result?.outcome === "question" || job.result?.outcome === "refused" ? "neutral" : "success",
      };
    case "failed":
      return { status: "completed", conclusion: "failure" };
    case "cancelled":
      return { status: "completed", conclusion: "cancelled" };
    default:
      return job.status satisfies never;
  }
}

/**
 * Labels ≤ 20 and descriptions ≤ 40 characters, three at most; shown by GitHub only on a completed check (github-facts
 * 5.4).
 */
const DISCARD = { label: "Discard", description: "Close and delete its branch", identifier: "discard" };
const BUTTONS = [{ label: "Retry", description: "Try the job again", identifier: "retry" }, DISCARD];

function buttonsOf(job: Job) {
  if (job.status === "failed") return BUTTONS;
  // A button carries no text, so the answer is written where the check's details lead.
  if (job.status === "waiting_for_user") return [DISCARD];
  return waitsForLeave(job) ? runButton(job) : null;
}

/** The identifier includes the files, so that a button on an outdated page does not approve newer files. */
function runButton(job: Job) {
  const commit = commitToName(job);
  const identifier = commit === null ? "run-checks" : `run-checks-${commit.slice(0, 7)}`;
  return [{ label: "Run checks", description: "Run the worker's files here", identifier }];
}

/** The end of the log as a code block. */
function logTail(log: readonly LogLine[]): string | null {
  if (log.length === 0) return null;
  const lines = log.slice(-LOG_LINES).map(({ at, level, text }) => {
    const time = /T(\d\d:\d\d:\d\d)/.exec(at)?.[1] ?? "";
    return `${time} ${level === "info" ? "" : `${level}: `}${text}`.trim();
  });
  while (lines.length > 1 && lines.join("\n").length > MAX_LOG) lines.shift();
  return `### Log\n\n${fenced(cut(lines.join("\n"), MAX_LOG))}`;
}

/** The page that the check leads to instead of the run. */
function placeOf(job: Job): string | null {
  if (job.status === "waiting_for_user") return answerUrl(job);
  return job.status === "submitted" || job.status === "verified" ? (job.pull_request?.url ?? null) : null;
}

export function checkOf(job: Job, log: readonly LogLine[], fallback_url: string | null): CheckFace {
  const { headline, paragraphs } = stateOf(job, "check");
  const usage = usageLine(job);
  const summary = [
    titleLine(job.title),
    ...paragraphs,
    ...(usage === null ? [] : [usage]),
    [`Job ${code(job.id)}`, startLine(job)].filter((part) => part !== null).join(", "),
  ];
  const text = logTail(log);
  const details = placeOf(job) ?? runOf(job)?.url ?? fallback_url;
  const actions = buttonsOf(job);
  return {
    ...checkStatusOf(job),
    ...(details === null ? {} : { details_url: details }),
    output: {
      title: cut(headline, MAX_TITLE),
      summary: cutBody(summary.join("\n\n"), "", MAX_TEXT),
      ...(text === null ? {} : { text: cutBody(text, "", MAX_TEXT) }),
    },
    ...(actions === null ? {} : { actions }),
  };
}

/** Completes the check on a commit that is no longer the head. */
export const supersededCheck = (
  sha: string,
): { status: "completed"; conclusion: "neutral"; output: { title: string; summary: string } } => ({
  status: "completed",
  conclusion: "neutral",
  output: { title: "Continued on a later commit", summary: `The job continued; its check is now on ${sha}.` },
});
