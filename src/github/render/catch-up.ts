/** Says in one sentence how a pull request catches up with its base branch. */
import { baseName } from "../../domain/job/catching-up.ts";
import type { Job } from "../../domain/job/job.ts";
import { counted } from "../../text/plural.ts";
import { code } from "./plain.ts";

/** While its round is under way; null: it is another round. */
export function roundLine(job: Job): string | null {
  const { resolving, rounds, disturbed } = job.catch_up;
  if (!resolving) return null;
  const base = code(baseName(job));
  const again =
    rounds > 1
      ? ` ${counted(rounds - 1, "such round", "such rounds")} came before it: ${base} moved meanwhile, or the round failed.`
      : "";
  const pushed = " Somebody pushed to the branch during the round before, so it was begun anew.";
  return `This round resolves the conflicts with ${base}.${disturbed ? pushed : again}`;
}

/** While the pull request waits; null: nothing has to be said. */
export function turnLine(job: Job): string | null {
  const { turn, updating } = job.catch_up;
  if (turn === null) return null;
  const base = code(baseName(job));
  if (turn.taken_at !== null)
    return updating === null ? null : `GitHub was asked to merge ${base} into it; the checks then run again.`;
  if (turn.after === null) return null;
  const what = turn.need === "conflict" ? "resolve the conflicts" : `merge ${base} into it`;
  return `Its turn to ${what} comes after pull request #${turn.after}: they go one at a time, since each merge moves ${base}.`;
}
