/**
 * The audit log: one journal per day, so that old entries are deleted by whole files. Writes are best effort: a line
 * reaches the operating system at once, which survives a crash of this process, and is flushed within about a second,
 * which a power cut may lose. A job's history is exact; the audit log is additional.
 */

import { accountNamed } from "../../domain/job/account.ts";
import type { AuditEntry, AuditFilter, AuditLog, AuditPage } from "../../engine/ports/audit.ts";
import { entryOf, lineOf, linesBefore, sizeOf, wholeBytes } from "./audit-lines.ts";
import type { Folder } from "./disk.ts";
import { Journal } from "./journal.ts";

export const AUDIT_KEPT_DAYS = 400;
export const AUDIT_FLUSH_MS = 1_000;
/** A day with more is a malfunction; further entries are refused and noted in the server's log. */
export const MAX_AUDIT_DAY_BYTES = 512 * 1024 * 1024;
/** Bytes that one page scans; the next page continues from there. */
export const MAX_AUDIT_SCAN_BYTES = 4 * 1024 * 1024;
const MAX_PAGE = 200;

const DAY_MS = 86_400_000;
const ENDING = ".jsonl";
const NAME = /^\d{4}-\d\d-\d\d\.jsonl$/;

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** A position between two lines of a day; `at` null: after the last one. */
interface Position {
  readonly day: string;
  readonly at: number | null;
}

const cursorOf = (day: string, at: number): string => Buffer.from(`${day}.${at}`).toString("base64url");

function parseCursor(cursor: string): Position | null {
  const match = /^(\d{4}-\d\d-\d\d)\.(\d{1,10})$/.exec(Buffer.from(cursor, "base64url").toString("latin1"));
  const [, day, at] = match ?? [];
  return day === undefined || at === undefined ? null : { day, at: Number(at) };
}

type Wanted = Omit<AuditFilter, "limit" | "cursor">;

const fits = (entry: AuditEntry, wanted: Wanted): boolean =>
  (wanted.job_id === undefined || (entry.target?.type === "job" && entry.target.id === wanted.job_id)) &&
  (wanted.account === undefined || entry.account === accountNamed(wanted.account)) &&
  (wanted.key_id === undefined || entry.key_id === wanted.key_id) &&
  (wanted.repository === undefined || entry.repository?.toLowerCase() === wanted.repository.toLowerCase()) &&
  (wanted.since === undefined || entry.at >= wanted.since);

/** A cheap test before parsing, since most lines do not match. */
const mayFit = (line: string, { job_id, key_id }: Wanted): boolean =>
  (job_id === undefined || line.includes(job_id)) && (key_id === undefined || line.includes(key_id));

export class JournalAudit implements AuditLog {
  readonly #folder: Folder;
  readonly #now: () => number;
  /** Oldest first. */
  #days: string[];
  #current: { readonly day: string; readonly journal: Journal } | null = null;
  /** Files created since the folder was last flushed. */
  #unnamed = false;
  #timer: NodeJS.Timeout | null = null;
  #leaving: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(folder: Folder, now: () => number) {
    this.#folder = folder;
    this.#now = now;
    const found = folder.takeFound(ENDING).filter((name) => NAME.test(name));
    this.#days = found.map((name) => name.slice(0, -ENDING.length)).sort();
    this.#sweep();
  }

  async add(entry: AuditEntry): Promise<void> {
    if (this.#closed) throw new Error("The audit log is closed.");
    const journal = this.#journalOf(dayOf(entry.at));
    if (journal.size >= MAX_AUDIT_DAY_BYTES) throw new Error("The audit log of this day is full.");
    journal.add(lineOf(entry));
    journal.handOver();
    this.#timer ??= setTimeout(() => this.#flush(), AUDIT_FLUSH_MS).unref();
  }

  async list({ limit, cursor, ...wanted }: AuditFilter): Promise<AuditPage> {
    const newest: Position = { day: this.#days.at(-1) ?? "", at: null };
    const from = cursor === undefined ? newest : parseCursor(cursor);
    const entries: AuditEntry[] = [];
    if (from === null) return { entries, cursor: null };
    const most = Math.max(1, Math.min(limit, MAX_PAGE));
    const oldest = wanted.since === undefined ? "" : dayOf(wanted.since);
    let left = MAX_AUDIT_SCAN_BYTES;
    for (const day of this.#days.filter((one) => one <= from.day && one >= oldest).reverse()) {
      const size = this.#size(day);
      const end = day === from.day && from.at !== null ? Math.min(from.at, size) : size;
      for (const { text, at } of linesBefore(this.#folder.fs, this.#path(day), end)) {
        const bytes = Buffer.byteLength(text);
        const entry = mayFit(text, wanted) ? entryOf(text) : null;
        const found = entry !== null && fits(entry, wanted);
        // The page is full or has scanned enough: the next one begins after this line, or before it.
        if (found && entries.length === most) return { entries, cursor: cursorOf(day, at + bytes) };
        if (found) entries.push(entry);
        left -= bytes;
        if (left <= 0) return { entries, cursor: cursorOf(day, at) };
      }
    }
    return { entries, cursor: null };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#flush();
    this.#leave();
    await this.#leaving;
  }

  #path(day: string): string {
    return this.#folder.pathOf(`${day}${ENDING}`);
  }

  /** Size without what a failed write may have left at the end. */
  #size(day: string): number {
    return this.#current?.day === day ? this.#current.journal.size : sizeOf(this.#folder.fs, this.#path(day));
  }

  #journalOf(day: string): Journal {
    if (this.#current?.day === day) return this.#current.journal;
    this.#folder.assertUsable();
    this.#leave();
    const known = this.#days.includes(day);
    const size = known ? wholeBytes(this.#folder.fs, this.#path(day)) : 0;
    const journal = new Journal(this.#folder.fs, this.#path(day), size);
    this.#current = { day, journal };
    if (!known) {
      this.#unnamed = true;
      this.#days = [...this.#days, day].sort();
      this.#sweep();
    }
    return journal;
  }

  /** Flushes and closes the finished day's file in the background. */
  #leave(): void {
    const left = this.#current;
    this.#current = null;
    if (left === null) return;
    const before = this.#leaving;
    this.#leaving = (async () => {
      await before;
      await left.journal.flushed().catch(() => undefined);
      await left.journal.close();
    })();
  }

  /** An unwritable entry is lost; the operation itself has its own flush, which fails loudly. */
  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#current?.journal.flushed().catch(() => undefined);
    if (!this.#unnamed) return;
    this.#unnamed = false;
    try {
      this.#folder.flush();
    } catch {
      // The folder refuses further use and says why.
    }
  }

  #sweep(): void {
    const oldest = dayOf(this.#now() - AUDIT_KEPT_DAYS * DAY_MS);
    for (const day of this.#days.filter((one) => one < oldest)) this.#folder.fs.unlinkSync(this.#path(day));
    this.#days = this.#days.filter((one) => one >= oldest);
  }
}
