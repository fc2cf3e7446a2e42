/** Formats usage, model, cost and age. */
import { fullName, issueOf, type Job, modelNotes, NOT_REPORTED, runOf } from "../../domain/job/job.ts";
import { costOf, spentOf } from "../../domain/job/usage.ts";
import { counted } from "../../text/plural.ts";
import { cut } from "../../text/text.ts";
import { code, escapeMarkdown, oneLine } from "./plain.ts";

const count = (n: number): string => {
  if (n < 1_000) return String(n);
  return n < 1_000_000 ? `${(n / 1_000).toFixed(n < 10_000 ? 1 : 0)}k` : `${(n / 1_000_000).toFixed(1)}M`;
};

/** Cents as dollars; small amounts keep enough digits to differ from zero. */
export const money = (cents: number): string =>
  cents > 0 && cents < 1 ? "less than $0.01" : `$${(cents / 100).toFixed(2)}`;

/** The agent's usage in all attempts, on one line; null when it reported none. */
export function usageLine(job: Job): string | null {
  const { attempts, usage, complete } = spentOf(job);
  if (usage.turns === 0) return null;
  const input = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  const cost = costOf(job);
  const parts = [
    ...(job.result === null || job.result.model === NOT_REPORTED ? [] : [code(job.result.model)]),
    ...(attempts > 1 ? [counted(attempts, "attempt")] : []),
    counted(usage.turns, "turn"),
    `${count(input)} tokens in, ${count(usage.output_tokens)} out`,
    cost === null ? "cost unknown" : `${complete ? "" : "at least "}${money(cost)}`,
  ];
  return parts.join(" · ");
}

const MAX_NOTES = 2_000;

/** Notes on the model for the sender; null when there are none. They come from the run and are foreign text. */
export function modelLine(job: Job): string | null {
  const notes = modelNotes(job);
  return notes.length === 0 ? null : `**Model:** ${cut(escapeMarkdown(oneLine(notes.join(" "))), MAX_NOTES)}`;
}

/**
 * The repository's web address, taken from a URL that GitHub sent, or else below `web_url`, where GitHub's pages are; null
 * when neither is known.
 */
export function webOf(job: Job, web_url: string | null = null): string | null {
  const given = job.pull_request?.url ?? runOf(job)?.url;
  const own = given?.match(/^(https?:\/\/.+?)\/(?:pull|actions)\/[\w/]+$/)?.[1];
  return own ?? (web_url === null ? null : `${web_url}/${fullName(job.repository)}`);
}

/** The page of the job's run, or of all runs of its branch while none is known. */
export function runsUrl(job: Job, web_url: string | null): string | undefined {
  const web = webOf(job, web_url);
  const ofBranch = web === null ? undefined : `${web}/actions?query=${encodeURIComponent(`branch:${job.branch}`)}`;
  return runOf(job)?.url ?? ofBranch;
}

/** Where a person can write an answer: the comment box of the pull request, else of the issue; null: there is neither. */
export function answerUrl(job: Job): string | null {
  const web = webOf(job);
  const issue = issueOf(job.origin);
  const page = job.pull_request?.url ?? (web === null || issue === null ? null : `${web}/issues/${issue}`);
  return page === null ? null : `${page}#issue-comment-box`;
}

/** The job's branch, as a link if possible. */
export function branchLink(job: Job, web_url: string | null = null): string {
  const web = webOf(job, web_url);
  return web === null ? code(job.branch) : `[${code(job.branch)}](${web}/tree/${job.branch})`;
}

export const pullRequestLink = (pull: { readonly number: number; readonly url: string }): string =>
  `[#${pull.number}](${pull.url})`;
