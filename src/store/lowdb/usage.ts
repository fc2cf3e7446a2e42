/**
 * Recent usage of accounts, in append-only journals with one line per use. One day is kept in memory; a journal is
 * deleted when its last line is a day old.
 */
import { LRUCache } from "lru-cache";
import * as z from "zod";
import { USAGE_KINDS, type UsageKind, type UsageStore, type Use } from "../../engine/ports/usage.ts";
import type { Folder } from "./disk.ts";
import { NewerFormat, readRecord, writeRecord } from "./formats.ts";
import { append, note, type Segment, SegmentedLog } from "./segmented-log.ts";

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

type Times = LRUCache<string, number[]>;

export class JournalUsage implements UsageStore {
  readonly #now: () => number;
  readonly #times = new Map<UsageKind, Times>();
  readonly #log: SegmentedLog<null>;

  constructor(folder: Folder, now: () => number) {
    this.#now = now;
    this.#log = new SegmentedLog(folder, {
      max_age_ms: USAGE_KEPT_MS,
      index: () => null,
      read: (line, { segment }) => this.#read(lineOf(line.toString("utf8")), segment),
    });
    this.#sweep();
  }

  add(kind: UsageKind, of: string, at: number): void {
    this.#count(kind, of, at);
    this.#turnOver(at);
    append(this.#log.last, writeRecord("usage", { kind, of, at }));
    note(this.#log.last, at);
  }

  async take(
    { kind, of }: Use,
    { most, ms, at, count = 1 }: Parameters<UsageStore["take"]>[1],
  ): Promise<number | null> {
    const oldest = this.#nth(kind, of, Math.max(1, most - count + 1));
    if (oldest !== null && at - oldest < ms) return oldest + ms - at;
    for (let n = 0; n < count; n++) this.add(kind, of, at);
    return null;
  }

  async nthNewest(kind: UsageKind, of: string, n: number): Promise<number | null> {
    return this.#nth(kind, of, n);
  }

  #nth(kind: UsageKind, of: string, n: number): number | null {
    const at = this.#of(kind).get(of)?.at(-n);
    return at === undefined || at <= this.#now() - USAGE_KEPT_MS ? null : at;
  }

  async close(): Promise<void> {
    await this.#log.close();
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
    try {
      if (this.#log.roll(at)) this.#sweep();
    } catch {
      // what it counts stands in memory all the same
    }
  }

  #read(entry: Line | null, segment: Segment<null>): void {
    const now = this.#now();
    // a clock that was far ahead wrote it: counted as of now, it would count anew from every start
    if (entry === null || entry.at > now + USAGE_KEPT_MS) return;
    const { kind, of, at } = entry;
    note(segment, at);
    const then = Math.min(at, now);
    if (then > now - USAGE_KEPT_MS) this.#count(kind, of, then);
  }

  #sweep(): void {
    const from = this.#now() - USAGE_KEPT_MS;
    for (const segment of this.#log.full) if (segment.newest_at <= from) this.#log.remove(segment);
  }
}
