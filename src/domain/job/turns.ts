/** The order in which pull requests for one base branch catch up with it. */
import { isFinal, type Job } from "./job.ts";

/** A pull request whose checks do not end holds up the others no longer than this. */
export const TURN_LIMIT_MS = 2 * 3_600_000;

/** Who holds up the others, and who waits, by the order in which they merge. */
export function lineOf(jobs: readonly Job[], now: number): readonly Job[] {
  const inLine = jobs.filter(
    ({ catch_up, status, merge }) => catch_up.turn !== null && (!isFinal(status) || merge.state !== "off"),
  );
  const taken = (job: Job): boolean => {
    const at = job.catch_up.turn?.taken_at ?? null;
    return at !== null && now < at + TURN_LIMIT_MS;
  };
  const at = (job: Job): number => job.submitted_at ?? job.created_at;
  const waiting = inLine.filter(({ catch_up }) => catch_up.turn?.taken_at === null);
  return [...inLine.filter(taken), ...waiting.toSorted((a, b) => at(a) - at(b) || (a.id < b.id ? -1 : 1))];
}
