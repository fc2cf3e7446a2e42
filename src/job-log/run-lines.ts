/**
 * The lines of running jobs as they come: in memory alone, bounded, redacted, counting up. No commit and no flush belongs
 * to a line, and a further one costs the same however many came before it. What a restart loses is sent again, and is in
 * the job's record in the end.
 */
import { LRUCache } from "lru-cache";
import { type LogLine, MAX_LOG_LINES } from "../contracts/log-line.ts";
import { redact } from "../contracts/redact.ts";
import { actionsWork, type Job, type JobId } from "../domain/job/job.ts";
import { MAX_LOG_CHARACTERS, nextLog } from "../domain/job/stored-log.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";
import type { RunLines } from "../engine/ports/runs.ts";

/** Characters of all jobs' lines together; beyond it, those of the job that was quiet the longest go. */
const MAX_CHARACTERS = 32 * 1024 * 1024;
/** What a line costs beside its text. */
const LINE_CHARACTERS = 100;
/** Jobs that have lines at once. */
const MAX_JOBS = 10_000;

interface Told {
  readonly run: { readonly id: number; readonly attempt: number };
  /** Which of the job's logs these will be. */
  readonly log_nth: number;
  /** Counting up. The oldest go where there are too many. */
  readonly lines: LogLine[];
  characters: number;
}

const sizeOf = (line: LogLine): number => line.text.length + LINE_CHARACTERS;

/** Still running, and what it has told stands nowhere else. */
function isOf(told: Told, { status, work }: Job): boolean {
  if (status !== "accepted" || work.kind !== "actions") return false;
  const { run, handed_in } = work;
  return run?.id === told.run.id && run.attempt === told.run.attempt && handed_in === null;
}

class RunLinesInMemory implements RunLines {
  readonly #told = new LRUCache<JobId, Told>({ max: MAX_JOBS, maxSize: MAX_CHARACTERS });
  readonly #followers = new Map<JobId, Set<() => void>>();

  add(stored: StoredJob, lines: readonly LogLine[]): number {
    const { job } = stored;
    const work = actionsWork(job);
    const run = work?.run ?? null;
    if (job.status !== "accepted" || work === null || run === null) return 0;
    // handed in: all that there is stands in the record
    if (work.handed_in !== null) return lines.at(-1)?.seq ?? 0;
    const known = this.#of(job);
    const last = known?.lines.at(-1)?.seq ?? 0;
    const fresh = newOf(lines, last);
    if (fresh.length === 0) return last;
    const told: Told = known ?? { ...{ run, lines: [], characters: 0 }, log_nth: nextLog(stored, fresh).log_nth };
    for (const line of fresh) {
      told.lines.push(line);
      told.characters += sizeOf(line);
    }
    trim(told);
    this.#told.set(job.id, told, { size: told.characters + 1 });
    for (const tell of this.#followers.get(job.id) ?? []) tell();
    return told.lines.at(-1)?.seq ?? 0;
  }

  viewed(stored: StoredJob): StoredJob {
    const told = this.#of(stored.job);
    return told === null ? stored : { ...stored, log: told.lines, log_nth: told.log_nth };
  }

  committed({ job }: StoredJob): void {
    const told = this.#told.peek(job.id);
    if (told !== undefined && !isOf(told, job)) this.#told.delete(job.id);
  }

  follow(id: JobId, tell: () => void): () => void {
    const followers = this.#followers.get(id) ?? new Set();
    followers.add(tell);
    this.#followers.set(id, followers);
    return () => {
      followers.delete(tell);
      if (followers.size === 0 && this.#followers.get(id) === followers) this.#followers.delete(id);
    };
  }

  #of(job: Job): Told | null {
    const told = this.#told.get(job.id);
    return told !== undefined && isOf(told, job) ? told : null;
  }
}

/**
 * What comes after the last line that is known, redacted. A sender numbers without gaps as a rule; where nothing is known
 * yet it must begin at the first, so that one who does not know of our restart begins again.
 */
function newOf(lines: readonly LogLine[], last: number): LogLine[] {
  if (last === 0 && lines[0]?.seq !== 1) return [];
  let before = last;
  return lines.flatMap((line) => {
    if (line.seq <= before) return [];
    before = line.seq;
    return [{ ...line, text: redact(line.text) }];
  });
}

/** Twice the bounds are filled before the front is let go, so that a line seldom moves all others. */
function trim(told: Told): void {
  const { lines } = told;
  if (lines.length <= 2 * MAX_LOG_LINES && told.characters <= 2 * MAX_LOG_CHARACTERS) return;
  let gone = 0;
  while (lines.length - gone > MAX_LOG_LINES || told.characters > MAX_LOG_CHARACTERS) {
    const line = lines[gone++];
    if (line === undefined) break;
    told.characters -= sizeOf(line);
  }
  lines.splice(0, gone);
}

export const createRunLines = (): RunLines => new RunLinesInMemory();
