/**
 * Stores webhook deliveries in a journal, at the cost of a line and a shared flush each. A full journal is retired:
 * unprocessed deliveries move to the next one and only ids are kept, so that disk use and start time stay bounded.
 */
import type { Inbox, PendingDelivery } from "../../engine/ports/inbox.ts";
import { DedupeIndex } from "./dedupe-index.ts";
import type { Folder } from "./disk.ts";
import { entryOf, type InboxLine, lineOf } from "./inbox-lines.ts";
import { JOURNAL_ENDING, Journal, journalName, journalNumber, MAX_JOURNAL_BYTES } from "./journal.ts";
import { readJournal } from "./journal-lines.ts";

/** Unprocessed deliveries; further ones are refused and requested from GitHub again later. */
export const MAX_PENDING = 10_000;

/** A journal and the deliveries that it recorded first. */
interface Chapter {
  readonly number: number;
  readonly journal: Journal;
  readonly ids: Map<string, number>;
  /** Bytes carried over from earlier journals. */
  inherited: number;
}

export class JournalInbox implements Inbox {
  readonly #folder: Folder;
  readonly #seen: DedupeIndex;
  readonly #pending = new Map<string, PendingDelivery>();
  /** Writes in progress. */
  readonly #recording = new Map<string, Promise<void>>();
  #current: Chapter;
  /** Full journals, oldest first; deleted once their deliveries are stored elsewhere. */
  #old: Chapter[] = [];
  #retiring: Promise<void> | null = null;
  #closed = false;

  constructor(folder: Folder, now: () => number) {
    this.#folder = folder;
    this.#seen = new DedupeIndex(folder, now);
    const chapters = folder
      .takeFound(JOURNAL_ENDING)
      .sort()
      .map((name) => this.#read(name));
    this.#current = chapters.pop() ?? this.#begin(1);
    this.#old = chapters;
    if (chapters.length > 0) this.#retire();
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
      return "new";
    } catch (error) {
      this.#seen.forget(id);
      this.#pending.delete(id);
      throw error;
    } finally {
      this.#recording.delete(id);
    }
  }

  async done(id: string): Promise<void> {
    if (!this.#pending.delete(id)) return;
    try {
      this.#add({ done: id });
    } catch {
      // Otherwise it is processed once more after a restart, which is harmless.
    }
  }

  async pending(): Promise<readonly PendingDelivery[]> {
    return [...this.#pending.values()].filter(({ id }) => !this.#recording.has(id)).sort((a, b) => a.at - b.at);
  }

  knows(id: string): boolean {
    return this.#seen.has(id);
  }

  backlog(): { readonly count: number; readonly oldest_at: number | null } {
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
    const { journal, number, inherited } = this.#current;
    // Half of a journal may be carried over; such entries are not moved again right away.
    if (journal.size >= Math.max(MAX_JOURNAL_BYTES, 2 * inherited)) {
      const next = this.#begin(number + 1);
      this.#old.push(this.#current);
      this.#current = next;
      this.#retire();
    }
    this.#current.journal.add(lineOf(entry));
  }

  #begin(number: number): Chapter {
    this.#folder.assertUsable();
    const journal = new Journal(this.#folder.fs, this.#folder.pathOf(journalName(number)), 0);
    this.#folder.flush();
    return { number, journal, ids: new Map(), inherited: 0 };
  }

  #read(name: string): Chapter {
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
    return { number: journalNumber(name), journal, ids, inherited: 0 };
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
    for (let chapter = this.#old[0]; chapter !== undefined; chapter = this.#old[0]) {
      await this.#settleRecordings(chapter);
      const heir = this.#current;
      const size = heir.journal.size;
      for (const id of chapter.ids.keys()) {
        const delivery = this.#pending.get(id);
        if (delivery === undefined) continue;
        heir.journal.add(lineOf({ delivery }));
        heir.ids.set(id, delivery.at);
      }
      heir.inherited += heir.journal.size - size;
      await heir.journal.flushed();
      this.#seen.keep(chapter.number, chapter.ids);
      this.#old.shift();
      await chapter.journal.close();
      this.#folder.remove(journalName(chapter.number));
    }
  }

  /** Waits until every write to this journal has succeeded or failed. */
  async #settleRecordings({ ids }: Chapter): Promise<void> {
    await Promise.allSettled([...this.#recording].filter(([id]) => ids.has(id)).map(([, durable]) => durable));
  }
}
