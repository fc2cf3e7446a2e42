/**
 * Stores outgoing webhook messages in journals, at the cost of a line and a shared flush each. Bodies stay on the disk.
 * The oldest journals are deleted when their messages are too old or too many; pending ones move to the newest journal
 * first.
 */
import { LRUCache } from "lru-cache";
import type {
  DeliveryAttempt,
  DeliveryFilter,
  DeliveryState,
  NewDelivery,
  OutgoingStore,
  StoredDelivery,
} from "../../engine/ports/outgoing-deliveries.ts";
import type { Folder } from "./disk.ts";
import { JOURNAL_ENDING, Journal, journalName, journalNumber, MAX_JOURNAL_BYTES } from "./journal.ts";
import { type Entry, OutgoingIndex, type Position } from "./outgoing-index.ts";
import { again, bodyFrom, deliveriesLine, fresh, lineOf, readLines, tried } from "./outgoing-lines.ts";

/** How long a message can be looked up and replayed. */
const DAY_MS = 24 * 3_600_000;
/** Finished messages: about 25 MB of memory. */
const MAX_FINISHED = 50_000;
/** Disk space, unless most of it is pending. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Further messages are refused, and the job's event waits with the job. About 50 MB of memory. */
export const MAX_PENDING_DELIVERIES = 100_000;
/** Cached characters of bodies that are about to be sent; others are read again. */
const MAX_CACHED_CHARACTERS = 16 * 1024 * 1024;

interface Segment {
  readonly number: number;
  readonly journal: Journal;
  newest: number;
  /** Bytes carried over from earlier journals. */
  carriedOver: number;
}

const keyOf = ({ number }: Segment, start: number): string => `${number}:${start}`;

/** One event goes to many subscribers, so its body is stored once. */
function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const same = groups.get(keyOf(item));
    if (same === undefined) groups.set(keyOf(item), [item]);
    else same.push(item);
  }
  return groups;
}

export class JournalOutgoing implements OutgoingStore {
  readonly #folder: Folder;
  readonly #now: () => number;
  readonly #kept_ms: number;
  readonly #index = new OutgoingIndex<Segment>();
  readonly #bodies = new LRUCache<string, string>({ maxSize: MAX_CACHED_CHARACTERS });
  /** Writes in progress. */
  readonly #recording = new Map<string, Promise<void>>();
  /** Oldest first; the last one is appended to. */
  readonly #segments: Segment[] = [];
  /** Results of attempts that are not written yet; many share a write. */
  #outcomes: string[] = [];
  #retiring: Promise<void> | null = null;
  #closed = false;

  constructor(folder: Folder, now: () => number, kept_days: number) {
    this.#folder = folder;
    this.#now = now;
    this.#kept_ms = kept_days * DAY_MS;
    for (const name of folder.takeFound(JOURNAL_ENDING).sort()) this.#segments.push(this.#read(name));
    if (this.#segments.length === 0) this.#begin(1);
    this.#retire();
  }

  async record(deliveries: readonly NewDelivery[]): Promise<readonly StoredDelivery[]> {
    const unknown = deliveries.filter(({ id }) => this.#index.get(id) === undefined);
    // A duplicate is acknowledged only after the first is on the disk.
    const underWay = deliveries.map(({ id }) => this.#recording.get(id));
    if (unknown.length > 0) await this.#recordNew(unknown);
    await Promise.all(underWay);
    return unknown.flatMap(({ id }) => this.#index.get(id)?.delivery ?? []);
  }

  async attempted(
    id: string,
    attempt: DeliveryAttempt,
    next: { readonly state: DeliveryState; readonly at: number | null },
  ): Promise<boolean> {
    const entry = this.#index.get(id);
    if (entry === undefined) return false;
    this.#index.update(entry, tried(entry.delivery, attempt, next.state, next.at));
    const line = lineOf({ tried: id, attempt, state: next.state, next_at: next.at });
    if (this.#outcomes.push(line) === 1) setImmediate(() => this.#writeLater());
    return true;
  }

  async replay(id: string, at: number): Promise<StoredDelivery | null> {
    const entry = this.#visible(id);
    if (entry === null) return null;
    this.#writeOutcomes();
    this.#current().journal.add(lineOf({ again: id, at }));
    await this.#current().journal.flushed();
    this.#index.update(entry, again(entry.delivery, at));
    return entry.delivery;
  }

  async get(id: string): Promise<StoredDelivery | null> {
    return this.#visible(id)?.delivery ?? null;
  }

  async body(id: string): Promise<string | null> {
    const entry = this.#index.get(id);
    if (entry === undefined) return null;
    return this.#bodyOf(entry);
  }

  async list(filter: DeliveryFilter) {
    return this.#index.page(filter, this.#now() - this.#kept_ms);
  }

  async pending(): Promise<readonly StoredDelivery[]> {
    return [...this.#index.all()].map(({ delivery }) => delivery).filter(({ state }) => state === "pending");
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#recording.values());
    await this.#retiring;
    this.#writeLater();
    this.#closed = true;
    for (const { journal } of this.#segments) await journal.close();
  }

  async #recordNew(unknown: readonly NewDelivery[]): Promise<void> {
    if (this.#index.pending + unknown.length > MAX_PENDING_DELIVERIES)
      throw new Error("Too many deliveries wait to be sent.");
    this.#roll();
    for (const [body, same] of grouped(unknown, (one) => one.body)) this.#add(this.#current(), same.map(fresh), body);
    const durable = this.#current().journal.flushed();
    for (const { id } of unknown) this.#recording.set(id, durable);
    try {
      await durable;
    } catch (error) {
      this.#index.remove(unknown.flatMap(({ id }) => this.#index.get(id) ?? []));
      throw error;
    } finally {
      for (const { id } of unknown) this.#recording.delete(id);
    }
  }

  #current(): Segment {
    const segment = this.#segments.at(-1);
    if (segment === undefined || this.#closed) throw new Error("The store of outgoing webhooks is closed.");
    return segment;
  }

  #visible(id: string): Entry<Segment> | null {
    const entry = this.#index.get(id);
    const old = entry !== undefined && entry.delivery.state !== "pending" && entry.at <= this.#now() - this.#kept_ms;
    return entry === undefined || old || this.#recording.has(id) ? null : entry;
  }

  #bodyOf({ segment, start, length }: Entry<Segment>): string {
    return this.#bodies.get(keyOf(segment, start)) ?? bodyFrom(segment.journal.read(start, length));
  }

  /** Writes one body with its messages and indexes them. */
  #add(segment: Segment, deliveries: readonly StoredDelivery[], body: string): void {
    const { start, length } = this.#write(segment, deliveries, body);
    this.#bodies.set(keyOf(segment, start), body, { size: body.length + 1 });
    for (const delivery of deliveries) this.#index.put(delivery, segment, start, length);
  }

  /** Returns the body's new position. */
  #write(segment: Segment, deliveries: readonly StoredDelivery[], body: string): Position<Segment> {
    const { journal } = segment;
    const [about, told] = deliveriesLine(deliveries, body);
    const start = journal.size + Buffer.byteLength(about);
    journal.add(about + told);
    for (const { at } of deliveries) segment.newest = Math.max(segment.newest, at);
    return { segment, start, length: journal.size - 1 - start };
  }

  #writeLater(): void {
    try {
      this.#writeOutcomes();
    } catch {
      // They count in memory; after a restart an unrecorded one is sent again.
      this.#outcomes = [];
    }
  }

  #writeOutcomes(): void {
    if (this.#outcomes.length === 0 || this.#closed) return;
    this.#roll();
    this.#current().journal.add(this.#outcomes.join("\n"));
    this.#outcomes = [];
  }

  #begin(number: number): void {
    this.#folder.assertUsable();
    const journal = new Journal(this.#folder.fs, this.#folder.pathOf(journalName(number)), 0);
    this.#folder.flush();
    this.#segments.push({ number, journal, newest: Number.NEGATIVE_INFINITY, carriedOver: 0 });
  }

  /** Starts a new journal when this one is full; half of one may be carried over. */
  #roll(): void {
    const { journal, number, carriedOver } = this.#current();
    if (journal.size < Math.max(MAX_JOURNAL_BYTES, 2 * carriedOver)) return;
    this.#begin(number + 1);
    this.#retire();
  }

  #read(name: string): Segment {
    const path = this.#folder.pathOf(name);
    const { lines, size } = readLines(path, this.#folder.fs.readFileSync(path));
    const journal = new Journal(this.#folder.fs, path, size);
    const segment: Segment = { number: journalNumber(name), journal, newest: Number.NEGATIVE_INFINITY, carriedOver: 0 };
    for (const { line, start, length } of lines) {
      if ("deliveries" in line) {
        for (const delivery of line.deliveries) {
          this.#index.put(delivery, segment, start, length);
          segment.newest = Math.max(segment.newest, delivery.at);
        }
        continue;
      }
      const entry = this.#index.get("tried" in line ? line.tried : line.again);
      // Its journal may have been deleted first.
      if (entry === undefined) continue;
      const { delivery } = entry;
      const next = "tried" in line ? tried(delivery, line.attempt, line.state, line.next_at) : again(delivery, line.at);
      this.#index.update(entry, next);
    }
    return segment;
  }

  /** Runs in the background. After a failure the journal stays and is retried with the next one. */
  #retire(): void {
    this.#retiring ??= this.#retireOldest()
      .catch(() => undefined)
      .finally(() => {
        this.#retiring = null;
      });
  }

  async #retireOldest(): Promise<void> {
    for (let oldest = this.#segments[0]; oldest !== undefined && this.#isOver(oldest); oldest = this.#segments[0]) {
      await this.#move(oldest, this.#current());
      const rest = this.#index.of(oldest);
      // A message may have been replayed meanwhile.
      if (rest.some(({ delivery }) => delivery.state === "pending")) continue;
      this.#index.remove(rest);
      this.#segments.shift();
      await oldest.journal.close();
      this.#folder.remove(journalName(oldest.number));
    }
  }

  /** Moves pending messages; their position changes once the new line is on the disk. */
  async #move(from: Segment, to: Segment): Promise<void> {
    this.#writeOutcomes();
    const size = to.journal.size;
    const moving = this.#index.of(from).filter(({ delivery }) => delivery.state === "pending");
    const moves = [...grouped(moving, (entry) => entry.start).values()].flatMap((same) => {
      const [first] = same;
      if (first === undefined) return [];
      const deliveries = same.map(({ delivery }) => delivery);
      return [{ same, place: this.#write(to, deliveries, this.#bodyOf(first)) }];
    });
    to.carriedOver += to.journal.size - size;
    await to.journal.flushed();
    for (const { same, place } of moves) for (const entry of same) Object.assign(entry, place);
  }

  #isOver(oldest: Segment): boolean {
    if (oldest === this.#segments.at(-1)) return false;
    if (oldest.newest <= this.#now() - this.#kept_ms || this.#index.finished > MAX_FINISHED) return true;
    const bytes = this.#segments.reduce((sum, { journal }) => sum + journal.size, 0);
    return bytes > MAX_BYTES && this.#index.finished > this.#index.pending;
  }
}
