/** Figures in words: what the agent used, which model, what it cost, how long ago. */
import { type Job, modelNotes, type Work } from "../../../job/job.ts";
import { cut } from "../../../wire/text.ts";
import { code, harmless, oneLine } from "./plain.ts";

const count = (n: number): string => {
  if (n < 1_000) return String(n);
  return n < 1_000_000 ? `${(n / 1_000).toFixed(n < 10_000 ? 1 : 0)}k` : `${(n / 1_000_000).toFixed(1)}M`;
};

/** Cents as dollars; small amounts keep a digit that tells them from nothing. */
export const money = (cents: number): string =>
  cents > 0 && cents < 1 ? "less than $0.01" : `$${(cents / 100).toFixed(2)}`;

/** What the agent used, on one line; null when it said nothing of that. */
export function usageLine(work: Work | null): string | null {
  if (work === null || work.usage.turns === 0) return null;
  const { turns, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = work.usage;
  const input = input_tokens + cache_read_tokens + cache_write_tokens;
  const cost = work.cost_cents === null ? "cost not known" : money(work.cost_cents);
  return `${code(work.model)} · ${turns} ${turns === 1 ? "turn" : "turns"} · ${count(input)} tokens in, ${count(output_tokens)} out · ${cost}`;
}

const MOST_NOTES = 2_000;

/** What the sender must be told of the model; null: nothing. A run's words are foreign words. */
export function modelLine(job: Job): string | null {
  const notes = modelNotes(job);
  return notes.length === 0 ? null : `**Model:** ${cut(harmless(oneLine(notes.join(" "))), MOST_NOTES)}`;
}

/** Web address of the repository, as GitHub itself wrote it in an address that it gave us; null: none was given yet. */
export function webOf(job: Job): string | null {
  const given = job.pull_request?.url ?? job.run?.url;
  return given?.match(/^(https?:\/\/.+?)\/(?:pull|actions)\/[\w/]+$/)?.[1] ?? null;
}

/** The job's branch, linked where that is possible. */
export function branchLink(job: Job): string {
  const web = webOf(job);
  return web === null ? code(job.branch) : `[${code(job.branch)}](${web}/tree/${job.branch})`;
}

export const pullRequestLink = (pull: { readonly number: number; readonly url: string }): string =>
  `[#${pull.number}](${pull.url})`;
