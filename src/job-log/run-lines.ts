/**
 * Buffers the log lines of running jobs in memory, bounded and redacted. A line causes no commit and no flush, and its
 * cost does not depend on how many came before. After a restart the run resends its lines, and the final log is stored
 * in the job's record.
 */
import { LRUCache } from "lru-cache";
import { type LogLine, MAX_LOG_LINES } from "../contracts/log-line.ts";
import { redact } from "../contracts/redact.ts";
import { actionsWork, type Job, type JobId } from "../domain/job/job.ts";
import { MAX_LOG_CHARACTERS, nextLog } from "../domain/job/stored-log.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";
import type { RunLines } from "../engine/ports/runs.ts";

/** Characters of all jobs together; above it, the lines of the longest quiet job are dropped. */
const MAX_CHARACTERS = 32 * 1024 * 1024;
/** Estimated overhead per line, in characters. */
const LINE_CHARACTERS = 100;
/** Jobs with buffered lines. */
const MAX_JOBS = 10_000;

interface BufferedLog {
  readonly run: { readonly id: number; readonly attempt: number };
  /** Index of this log among the job's logs. */
  readonly log_nth: number;
  /** Ordered by number; the oldest are dropped when there are too many. */
  readonly lines: LogLine[];
  characters: number;
}

const sizeOf = (line: LogLine): number => line.text.length + LINE_CHARACTERS;

/** The job is still running, and these lines are not stored yet. */
function isOf(buffered: BufferedLog, { status, work }: Job): boolean {
  if (status !== "accepted" || work.kind !== "actions") return false;
  const { run, handed_in } = work;
  return run?.id === buffered.run.id && run.attempt === buffered.run.attempt && handed_in === null;
}

class RunLinesInMemory implements RunLines {
  readonly #buffered = new LRUCache<JobId, BufferedLog>({ max: MAX_JOBS, maxSize: MAX_CHARACTERS });
  readonly #followers = new Map<JobId, Set<() => void>>();

  add(stored: StoredJob, lines: readonly LogLine[]): number {
    const { job } = stored;
    const work = actionsWork(job);
    const run = work?.run ?? null;
    if (job.status !== "accepted" || work === null || run === null) return 0;
    // The result was submitted, so the record holds the full log.
    if (work.handed_in !== null) return lines.at(-1)?.seq ?? 0;
    const known = this.#of(job);
    const last = known?.lines.at(-1)?.seq ?? 0;
    const fresh = newOf(lines, last);
    if (fresh.length === 0) return last;
    const buffered: BufferedLog = known ?? {
      ...{ run, lines: [], characters: 0 },
      log_nth: nextLog(stored, fresh).log_nth,
    };
    for (const line of fresh) {
      buffered.lines.push(line);
      buffered.characters += sizeOf(line);
    }
    trim(buffered);
    this.#buffered.set(job.id, buffered, { size: buffered.characters + 1 });
    for (const notify of this.#followers.get(job.id) ?? []) notify();
    return buffered.lines.at(-1)?.seq ?? 0;
  }

  viewed(stored: StoredJob): StoredJob {
    const buffered = this.#of(stored.job);
    return buffered === null ? stored : { ...stored, log: buffered.lines, log_nth: buffered.log_nth };
  }

  committed({ job }: StoredJob): void {
    const buffered = this.#buffered.peek(job.id);
    if (buffered !== undefined && !isOf(buffered, job)) this.#buffered.delete(job.id);
  }

  follow(id: JobId, notify: () => void): () => void {
    const followers = this.#followers.get(id) ?? new Set();
    followers.add(notify);
    this.#followers.set(id, followers);
    return () => {
      followers.delete(notify);
      if (followers.size === 0 && this.#followers.get(id) === followers) this.#followers.delete(id);
    };
  }

  #of(job: Job): BufferedLog | null {
    const buffered = this.#buffered.get(job.id);
    return buffered !== undefined && isOf(buffered, job) ? buffered : null;
  }
}

/**
 * The lines after the last known one, redacted. Numbers have no gaps as a rule. When no line is known it must start at
 * 1: a sender that does not know of our restart is asked to begin again.
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

/** Allows twice the limit before dropping the oldest, so that lines are rarely moved. */
function trim(buffered: BufferedLog): void {
  const { lines } = buffered;
  if (lines.length <= 2 * MAX_LOG_LINES && buffered.characters <= 2 * MAX_LOG_CHARACTERS) return;
  let gone = 0;
  while (lines.length - gone > MAX_LOG_LINES || buffered.characters > MAX_LOG_CHARACTERS) {
    const line = lines[gone++];
    if (line === undefined) break;
    buffered.characters -= sizeOf(line);
  }
  lines.splice(0, gone);
}

export const createRunLines = (): RunLines => new RunLinesInMemory();
