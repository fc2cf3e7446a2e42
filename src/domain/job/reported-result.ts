/**
 * Converts an agent's result into what the job stores: redacted, with the paths that were restored. Used for results
 * read from the branch and for those that the run submits. Pure.
 */

import { redact } from "../../contracts/redact.ts";
import type { Result } from "../../contracts/result.ts";
import { normalise } from "../../text/normalise.ts";
import { head } from "../../text/text.ts";
import type { AgentResult } from "./job.ts";

/** Names of put-back files that the agent's words are followed by. */
const MOST_NAMED = 10;
/** Characters of a name that are shown. */
const LONGEST_NAME = 200;

/** A name as code that nothing in it can end. */
function named(path: string): string {
  const clean = head(redact(normalise(path)).replace(/\s+/g, " ").trim(), LONGEST_NAME);
  const longest = (clean.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const ticks = "`".repeat(longest + 1);
  const pad = clean.startsWith("`") || clean.endsWith("`") ? " " : "";
  return `${ticks}${pad}${clean}${pad}${ticks}`;
}

/** What was put back is part of what the work says of itself: it may lack the half that a person has to do. */
function withPutBack(body: string, paths: readonly string[]): string {
  if (paths.length === 0) return body;
  const names = paths.slice(0, MOST_NAMED).map(named);
  const more = paths.length > MOST_NAMED ? ` and ${paths.length - MOST_NAMED} more` : "";
  return `${body}\n\nPut back, since a job may not change it here: ${names.join(", ")}${more}.`.trim();
}

/** `title`: of the job, where the agent gives none. */
export const reportedResult = (result: Result, title: string): Omit<AgentResult, "changed_files"> => ({
  outcome: result.outcome,
  title: redact(result.title) || title,
  body: withPutBack(redact(result.body), result.put_back),
  reason: result.reason === undefined ? null : redact(result.reason),
  permanent_error: result.permanent_error,
  ...(result.image_missing ? { image_missing: true } : {}),
  ...(result.set_up_failed ? { set_up_failed: true } : {}),
  replies: result.replies.map((reply) => ({ ...reply, body: redact(normalise(reply.body)) })),
  model: result.model,
  notes: result.notes.map((note) => redact(note)),
  usage: result.usage,
  cost_cents: result.cost_cents,
});
