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
import { append, type Segment, SegmentedLog } from "./segmented-log.ts";

/** Unprocessed deliveries; further ones are refused and requested from GitHub again later. */
export const MAX_PENDING = 10_000;

/** The deliveries that a segment recorded first, and when. */
type Ids = Map<string, number>;

export class JournalInbox implements Inbox {
  readonly #queue: Pick<WorkQueue, "schedule">;
  readonly #seen: DedupeIndex;
  readonly #pending = new Map<string, PendingDelivery>();
  /** Writes in progress. */
  readonly #recording = new Map<string, Promise<void>>();
  readonly #log: SegmentedLog<Ids>;

  constructor(folder: Folder, now: () => number, queue: Pick<WorkQueue, "schedule">) {
    this.#queue = queue;
    this.#seen = new DedupeIndex(folder, now);
    this.#log = new SegmentedLog<Ids>(
      folder,
      { index: () => new Map(), read: (line, { segment }) => this.#read(entryOf(line.toString("utf8")), segment) },
      {
        isOver: () => true,
        settled: (oldest) => this.#settled(oldest),
        carryOver: (oldest, to) => this.#carryOver(oldest, to),
      },
    );
    this.#log.retire();
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
      this.#log.add(lineOf({ done: id }));
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
    await Promise.all([this.#log.close(), Promise.allSettled(this.#recording.values())]);
  }

  #unprocessed(): PendingDelivery[] {
    return [...this.#pending.values()].filter(({ id }) => !this.#recording.has(id)).sort((a, b) => a.at - b.at);
  }

  async #write(delivery: PendingDelivery): Promise<void> {
    const { id, at } = delivery;
    const { segment } = this.#log.add(lineOf({ delivery }));
    segment.index.set(id, at);
    try {
      await segment.journal.flushed();
    } catch (error) {
      // Otherwise the id would outlive its record, and a redelivery would be lost.
      segment.index.delete(id);
      throw error;
    }
  }

  #read(entry: InboxLine, { index }: Segment<Ids>): void {
    if ("done" in entry) {
      this.#pending.delete(entry.done);
      return;
    }
    const { id, at } = entry.delivery;
    this.#pending.set(id, entry.delivery);
    this.#seen.add(id, at);
    index.set(id, at);
  }

  #carryOver({ index, number }: Segment<Ids>, to: Segment<Ids>): () => boolean {
    for (const id of index.keys()) {
      const delivery = this.#pending.get(id);
      if (delivery === undefined) continue;
      append(to, lineOf({ delivery }));
      to.index.set(id, delivery.at);
    }
    return () => {
      this.#seen.keep(number, index);
      return true;
    };
  }

  /** Waits until every write to this segment has succeeded or failed. */
  async #settled({ index }: Segment<Ids>): Promise<void> {
    await Promise.allSettled([...this.#recording].filter(([id]) => index.has(id)).map(([, durable]) => durable));
  }
}
