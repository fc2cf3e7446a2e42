/**
 * Stores webhook deliveries in a journal, at the cost of a line and a shared flush each. A full journal is retired:
 * unprocessed deliveries move to the next one and only ids are kept, so that disk use and start time stay bounded.
 */
import type { Backlog, Inbox, PendingDelivery } from "../../engine/ports/inbox.ts";
import type { Task, WorkQueue } from "../../engine/ports/work-queue.ts";
import { taskOfDelivery } from "../tasks.ts";
import { DedupeIndex } from "./dedupe-index.ts";
import type { Folder } from "./disk.ts";
import { entryOf, type InboxLine, lineOf } from "./inbox-lines.ts";
import { JOURNAL_ENDING, Journal, journalName, journalNumber, MAX_JOURNAL_BYTES } from "./journal.ts";
import { readJournal } from "./journal-lines.ts";

/** Unprocessed deliveries; further ones are refused and requested from GitHub again later. */
export const MAX_PENDING = 10_000;

/** A journal and the deliveries that it recorded first. */
interface Segment {
  readonly number: number;
  readonly journal: Journal;
  readonly ids: Map<string, number>;
  /** Bytes carried over from earlier journals. */
  carriedOver: number;
}

export class JournalInbox implements Inbox {
  readonly #folder: Folder;
  readonly #queue: Pick<WorkQueue, "schedule">;
  readonly #seen: DedupeIndex;
  readonly #pending = new Map<string, PendingDelivery>();
  /** Writes in progress. */
  readonly #recording = new Map<string, Promise<void>>();
  #current: Segment;
  /** Full journals, oldest first; deleted once their deliveries are stored elsewhere. */
  #old: Segment[] = [];
  #retiring: Promise<void> | null = null;
  #closed = false;

  constructor(folder: Folder, now: () => number, queue: Pick<WorkQueue, "schedule">) {
    this.#folder = folder;
    this.#queue = queue;
    this.#seen = new DedupeIndex(folder, now);
    const segments = folder
      .takeFound(JOURNAL_ENDING)
      .sort()
      .map((name) => this.#read(name));
    this.#current = segments.pop() ?? this.#begin(1);
    this.#old = segments;
    if (segments.length > 0) this.#retire();
  }

  async record(delivery: PendingDelivery): Promise<"new" | "duplicate"> {
    const { id, at } = delivery;
    const first = this.#recording.get(id);
    if (first !== undefined) {
      // GitHub takes either answer as a receipt, so the duplicate waits for the first write.
      await first;
      return "duplicate";
    }
    if (this.#seen.has(id)) return "duplicate";
    if (this.#pending.size >= MAX_PENDING) throw new Error("Too many deliveries wait to be acted on.");
    this.#seen.add(id, at);
    this.#pending.set(id, delivery);
    const durable = this.#write(delivery);
    this.#recording.set(id, durable);
    try {
      await durable;
    } catch (error) {
      this.#seen.forget(id);
      this.#pending.delete(id);
      throw error;
    } finally {
      this.#recording.delete(id);
    }
    await this.#queue.schedule([taskOfDelivery(delivery)]);
    return "new";
  }

  async done(id: string): Promise<void> {
    if (!this.#pending.delete(id)) return;
    try {
      this.#add({ done: id });
    } catch {
      // Otherwise it is processed once more after a restart, which is harmless.
    }
  }

  async get(id: string): Promise<PendingDelivery | null> {
    return this.#pending.get(id) ?? null;
  }

  async pending(): Promise<readonly PendingDelivery[]> {
    return this.#unprocessed();
  }

  tasks(): readonly Task[] {
    return this.#unprocessed().map(taskOfDelivery);
  }

  async unknown(ids: readonly string[]): Promise<readonly string[]> {
    return ids.filter((id) => !this.#seen.has(id));
  }

  async backlog(): Promise<Backlog> {
    let oldest_at: number | null = null;
    for (const { at } of this.#pending.values()) oldest_at = Math.min(at, oldest_at ?? at);
    return { count: this.#pending.size, oldest_at };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#recording.values());
    await this.#retiring;
    for (const { journal } of [...this.#old, this.#current]) await journal.close();
  }

  #unprocessed(): PendingDelivery[] {
    return [...this.#pending.values()].filter(({ id }) => !this.#recording.has(id)).sort((a, b) => a.at - b.at);
  }

  async #write(delivery: PendingDelivery): Promise<void> {
    this.#add({ delivery });
    const { ids, journal } = this.#current;
    ids.set(delivery.id, delivery.at);
    try {
      await journal.flushed();
    } catch (error) {
      // Otherwise the id would outlive its record, and a redelivery would be lost.
      ids.delete(delivery.id);
      throw error;
    }
  }

  /** Appends to the current journal, or to a new one when that is full. */
  #add(entry: InboxLine): void {
    if (this.#closed) throw new Error("The inbox is closed.");
    const { journal, number, carriedOver } = this.#current;
    // Half of a journal may be carried over; such entries are not moved again right away.
    if (journal.size >= Math.max(MAX_JOURNAL_BYTES, 2 * carriedOver)) {
      const next = this.#begin(number + 1);
      this.#old.push(this.#current);
      this.#current = next;
      this.#retire();
    }
    this.#current.journal.add(lineOf(entry));
  }

  #begin(number: number): Segment {
    this.#folder.assertUsable();
    const journal = new Journal(this.#folder.fs, this.#folder.pathOf(journalName(number)), 0);
    this.#folder.flush();
    return { number, journal, ids: new Map(), carriedOver: 0 };
  }

  #read(name: string): Segment {
    const { entries, size } = readJournal(this.#folder, name, entryOf);
    const ids = new Map<string, number>();
    for (const entry of entries) {
      if ("done" in entry) {
        this.#pending.delete(entry.done);
        continue;
      }
      const { id, at } = entry.delivery;
      this.#pending.set(id, entry.delivery);
      this.#seen.add(id, at);
      ids.set(id, at);
    }
    const journal = new Journal(this.#folder.fs, this.#folder.pathOf(name), size);
    return { number: journalNumber(name), journal, ids, carriedOver: 0 };
  }

  /**
   * Runs in the background, one journal after the other. After a failure the journal stays and is retried with the next
   * one.
   */
  #retire(): void {
    this.#retiring ??= this.#retireAll()
      .catch(() => undefined)
      .finally(() => {
        this.#retiring = null;
      });
  }

  async #retireAll(): Promise<void> {
    for (let segment = this.#old[0]; segment !== undefined; segment = this.#old[0]) {
      await this.#settleRecordings(segment);
      const compactionTarget = this.#current;
      const size = compactionTarget.journal.size;
      for (const id of segment.ids.keys()) {
        const delivery = this.#pending.get(id);
        if (delivery === undefined) continue;
        compactionTarget.journal.add(lineOf({ delivery }));
        compactionTarget.ids.set(id, delivery.at);
      }
      compactionTarget.carriedOver += compactionTarget.journal.size - size;
      await compactionTarget.journal.flushed();
      this.#seen.keep(segment.number, segment.ids);
      this.#old.shift();
      await segment.journal.close();
      this.#folder.remove(journalName(segment.number));
    }
  }

  /** Waits until every write to this journal has succeeded or failed. */
  async #settleRecordings({ ids }: Segment): Promise<void> {
    await Promise.allSettled([...this.#recording].filter(([id]) => ids.has(id)).map(([, durable]) => durable));
  }
}
