/** Formats usage, model, cost and age. */
import { type Job, modelNotes, NOT_REPORTED, startedBy } from "../../domain/job/job.ts";
import { webOf } from "../../domain/job/links.ts";
import { costOf, spentOf } from "../../domain/job/usage.ts";
import { money } from "../../text/money.ts";
import { counted } from "../../text/plural.ts";
import { cut } from "../../text/text.ts";
import { code, escapeMarkdown, oneLine } from "./plain.ts";

const count = (n: number): string => {
  if (n < 1_000) return String(n);
  return n < 1_000_000 ? `${(n / 1_000).toFixed(n < 10_000 ? 1 : 0)}k` : `${(n / 1_000_000).toFixed(1)}M`;
};

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

/** A name holds letters, digits, dots, dashes and underscores. Null: somebody asked for the job. */
export function startLine(job: Job): string | null {
  const started = startedBy(job);
  return started === null ? null : `started by the ${started.kind} ${code(started.name)}`;
}

const MAX_NOTES = 2_000;

/** Notes on the model for the sender; null when there are none. They come from the run and are foreign text. */
export function modelLine(job: Job): string | null {
  const notes = modelNotes(job);
  return notes.length === 0 ? null : `**Model:** ${cut(escapeMarkdown(oneLine(notes.join(" "))), MAX_NOTES)}`;
}

/** The job's branch, as a link if possible. */
export function branchLink(job: Job, web_url: string | null = null): string {
  const web = webOf(job, web_url);
  return web === null ? code(job.branch) : `[${code(job.branch)}](${web}/tree/${job.branch})`;
}

export const pullRequestLink = (pull: { readonly number: number; readonly url: string }): string =>
  `[#${pull.number}](${pull.url})`;
