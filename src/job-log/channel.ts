/**
 * Renders a job's log as server-sent events, once for all readers, in chunks of bounded size that are cached until the
 * job changes.
 */

import { outcomeOf } from "../domain/job/outcome.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";
import { entriesAfter, idOf, isOver, type Position } from "./entries.ts";

/** A chunk is written at once, so this bounds the buffer of a reader; a single entry may be longer. */
const CHUNK_BYTES = 16 * 1024;
/** Cached chunks; readers at different positions need different ones. */
const MAX_CACHED = 64;

export interface Chunk {
  readonly bytes: Buffer;
  /** The reader's position after this chunk. */
  readonly position: Position;
}

const render = (id: string, event: string, data: object): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** A job as its readers may see it. */
type View = (stored: StoredJob) => StoredJob;

export class Channel {
  readonly #view: View;
  #stored: StoredJob;
  /** {@link #stored} at the last check. */
  #seen: StoredJob;
  readonly #chunks = new Map<string, Chunk | null>();
  /** The chunk after a position; readers who keep up share it. */
  readonly #next = new Map<Position, Chunk | null>();

  constructor(stored: StoredJob, view: View = (same) => same) {
    this.#view = view;
    this.#stored = stored;
    this.#seen = view(stored);
  }

  get job(): StoredJob["job"] {
    return this.#stored.job;
  }

  get over(): boolean {
    return isOver(this.#stored.job);
  }

  /** Takes the job's latest state; ignores an older one. */
  update(stored: StoredJob): void {
    if (stored.version <= this.#stored.version) return;
    this.#stored = stored;
    this.grow();
  }

  /** Called when lines arrive without a commit. */
  grow(): void {
    this.#seen = this.#view(this.#stored);
    this.#chunks.clear();
    this.#next.clear();
  }

  /** The next chunk after this position; null when the reader has everything. */
  after(position: Position): Chunk | null {
    const next = this.#next.get(position);
    if (next !== undefined) return next;
    const chunk = this.#chunk(position);
    if (this.#next.size >= MAX_CACHED) this.#next.clear();
    this.#next.set(position, chunk);
    return chunk;
  }

  #chunk(position: Position): Chunk | null {
    const key = idOf(position);
    const known = this.#chunks.get(key);
    if (known !== undefined) return known;
    const chunk = this.#render(position);
    if (this.#chunks.size >= MAX_CACHED) this.#chunks.clear();
    this.#chunks.set(key, chunk);
    return chunk;
  }

  /** The final event. Its id is a position too, from which a further round continues. */
  end(position: Position): string {
    const { job } = this.#stored;
    const { status, merged_at } = job;
    const merged = merged_at === null ? null : new Date(merged_at).toISOString();
    return render(`${idOf(position)}.end`, "end", { status, outcome: outcomeOf(job), merged_at: merged });
  }

  #render(from: Position): Chunk | null {
    let text = "";
    let position = from;
    for (const entry of entriesAfter(this.#seen, from)) {
      text += render(idOf(entry.position), entry.event, entry.data);
      position = entry.position;
      if (text.length >= CHUNK_BYTES) break;
    }
    return text === "" ? null : { bytes: Buffer.from(text), position };
  }
}
