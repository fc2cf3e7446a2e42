/**
 * Checks before a job is created whether GitHub's limits leave room for it. If not, the caller is told at once when to
 * retry, and nothing is stored.
 */

import type { Repository } from "../../domain/job/job.ts";
import type { GitHubClient } from "../../engine/ports/github.ts";
import { counted } from "../../text/plural.ts";
import { failure, type HttpResult } from "../routing/answer.ts";
import { MOST_ROOM_WAIT_MS } from "../routing/limits.ts";

export const LIMITED = {
  about: "GitHub's limits leave no room for another job now, or too many requests.",
  codes: ["rate_limited"],
  headers: { "Retry-After": "In how many seconds to come again." },
} as const;

/** Null: there is room. */
export function gitHubRateLimited(
  githubClient: Pick<GitHubClient, "pushWait">,
  repository: Repository,
): HttpResult | null {
  const wait = githubClient.pushWait(repository);
  if (wait <= MOST_ROOM_WAIT_MS) return null;
  const seconds = Math.ceil(wait / 1_000);
  const sentence = `GitHub's limits leave no room for another job now; come again in ${counted(seconds, "second")}.`;
  return failure(429, "rate_limited", sentence, { "Retry-After": String(seconds) });
}
