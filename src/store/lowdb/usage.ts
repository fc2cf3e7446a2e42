/**
 * Recent usage of accounts, in append-only journals with one line per use. One day is kept in memory; a journal is
 * deleted when its last line is a day old.
 */
import { LRUCache } from "lru-cache";
import * as z from "zod";
import { USAGE_KINDS, type UsageKind, type UsageStore } from "../../engine/ports/usage.ts";
import type { Folder } from "./disk.ts";
import { NewerFormat, readRecord, writeRecord } from "./formats.ts";
import { JOURNAL_ENDING, Journal, journalName, journalNumber, MAX_JOURNAL_BYTES } from "./journal.ts";
import { readJournal } from "./journal-lines.ts";

/** No limit looks further back. */
export const USAGE_KEPT_MS = 24 * 3_600_000;
/** Names of each kind that are counted at once; the one that was quiet the longest is forgotten first. */
const MAX_COUNTED = 10_000;
/** Fewer times are not worth clearing away. */
const MIN_CLEARED = 64;

const lineSchema = z.object({ kind: z.enum(USAGE_KINDS), of: z.string(), at: z.number() });

type Line = z.infer<typeof lineSchema>;

/** Null: damaged, or of a kind that a later version counts. Either is a use more that is allowed, and stops no start. */
function lineOf(text: string): Line | null {
  try {
    return lineSchema.safeParse(readRecord("usage", text)).data ?? null;
  } catch (error) {
    if (error instanceof NewerFormat) throw error;
    return null;
  }
}

interface Segment {
  readonly number: number;
  readonly journal: Journal;
  /** Of its first and of its last line; null: it has none yet. */
  begun_at: number | null;
  ended_at: number;
}

type Times = LRUCache<string, number[]>;

export class JournalUsage implements UsageStore {
  readonly #folder: Folder;
  readonly #now: () => number;
  readonly #times = new Map<UsageKind, Times>();
  /** Oldest first. */
  #old: Segment[];
  #current: Segment;

  constructor(folder: Folder, now: () => number) {
    this.#folder = folder;
    this.#now = now;
    const found = folder.takeFound(JOURNAL_ENDING).sort();
    this.#old = found.map((name) => this.#read(name));
    this.#current = this.#old.pop() ?? this.#begin(1);
    this.#sweep();
  }

  add(kind: UsageKind, of: string, at: number): void {
    this.#count(kind, of, at);
    this.#turnOver(at);
    this.#current.begun_at ??= at;
    this.#current.ended_at = at;
    this.#current.journal.add(writeRecord("usage", { kind, of, at }));
  }

  nthNewest(kind: UsageKind, of: string, n: number): number | null {
    const at = this.#of(kind).get(of)?.at(-n);
    return at === undefined || at <= this.#now() - USAGE_KEPT_MS ? null : at;
  }

  async close(): Promise<void> {
    for (const { journal } of [...this.#old, this.#current]) await journal.close();
  }

  #of(kind: UsageKind): Times {
    const known = this.#times.get(kind);
    if (known !== undefined) return known;
    // `max` would allocate room for all of them at once
    const times: Times = new LRUCache({ maxSize: MAX_COUNTED, sizeCalculation: () => 1 });
    this.#times.set(kind, times);
    return times;
  }

  #count(kind: UsageKind, of: string, at: number): void {
    const times = this.#of(kind).get(of) ?? [];
    const half = Math.floor(times.length / 2);
    // in large pieces, since each moves all that follows
    if (half >= MIN_CLEARED && (times[half] ?? at) <= at - USAGE_KEPT_MS) times.splice(0, half);
    times.push(at);
    this.#of(kind).set(of, times);
  }

  /** On to the next journal when this one is full or a day old. Where none can be begun, this one goes on. */
  #turnOver(at: number): void {
    const { journal, number, begun_at } = this.#current;
    const isOld = begun_at !== null && begun_at <= at - USAGE_KEPT_MS;
    if (!isOld && journal.size < MAX_JOURNAL_BYTES) return;
    try {
      const next = this.#begin(number + 1);
      this.#old.push(this.#current);
      this.#current = next;
      this.#sweep();
    } catch {
      // what it counts stands in memory all the same
    }
  }

  #begin(number: number): Segment {
    this.#folder.assertUsable();
    const journal = new Journal(this.#folder.fs, this.#folder.pathOf(journalName(number)), 0);
    this.#folder.flush();
    return { number, journal, begun_at: null, ended_at: 0 };
  }

  #read(name: string): Segment {
    const { entries, size } = readJournal(this.#folder, name, lineOf);
    const now = this.#now();
    for (const entry of entries) {
      if (entry === null) continue;
      const { kind, of, at } = entry;
      // a clock that was far ahead wrote it: counted as of now, it would count anew from every start
      if (at > now + USAGE_KEPT_MS) continue;
      const then = Math.min(at, now);
      if (then > now - USAGE_KEPT_MS) this.#count(kind, of, then);
    }
    const journal = new Journal(this.#folder.fs, this.#folder.pathOf(name), size);
    const times = entries.flatMap((entry) => (entry === null ? [] : [entry.at]));
    return { number: journalNumber(name), journal, begun_at: times[0] ?? null, ended_at: times.at(-1) ?? 0 };
  }

  #sweep(): void {
    const from = this.#now() - USAGE_KEPT_MS;
    const over = this.#old.filter(({ ended_at }) => ended_at <= from);
    this.#old = this.#old.filter((segment) => !over.includes(segment));
    for (const { number, journal } of over) {
      void journal.close().catch(() => undefined);
      this.#folder.remove(journalName(number));
    }
  }
}
