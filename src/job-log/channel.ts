/**
 * Renders a job's log as server-sent events, once for all readers, in chunks of bounded size that are cached until the
 * job changes.
 */

import type { LogLine } from "../contracts/log-line.ts";
import { outcomeOf } from "../domain/job/outcome.ts";
import { bounded, charactersOf, isOverlong } from "../domain/job/stored-log.ts";
import type { NewestLog } from "../engine/ports/job-log.ts";
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

interface GrowingLog {
  readonly nth: number;
  readonly lines: LogLine[];
  characters: number;
}

export class Channel {
  #stored: StoredJob;
  #log: GrowingLog | null = null;
  readonly #chunks = new Map<string, Chunk | null>();
  /** The chunk after a position; readers who keep up share it. */
  readonly #next = new Map<Position, Chunk | null>();

  constructor(stored: StoredJob, log: NewestLog | null) {
    this.#stored = stored;
    this.#take(log);
  }

  get job(): StoredJob["job"] {
    return this.#stored.job;
  }

  get over(): boolean {
    return isOver(this.#stored.job);
  }

  /** Up to where the log is here. */
  get told(): { readonly nth: number; readonly line: number } {
    return { nth: this.#log?.nth ?? 0, line: this.#log?.lines.at(-1)?.seq ?? 0 };
  }

  /** Takes the job's latest state, unless it is an older one, and what its log has more than {@link told}. */
  update(stored: StoredJob, more: NewestLog | null): void {
    const isNewer = stored.version > this.#stored.version;
    if (!isNewer && (more === null || more.lines.length === 0)) return;
    if (isNewer) this.#stored = stored;
    this.#take(more);
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

  /** A log that was deleted stays as it was for those who follow it. */
  #take(more: NewestLog | null): void {
    if (more === null || more.lines.length === 0) return;
    if (this.#log?.nth !== more.nth) {
      this.#log = { nth: more.nth, lines: [...more.lines], characters: charactersOf(more.lines) };
      return;
    }
    const { lines } = this.#log;
    for (const line of more.lines) lines.push(line);
    this.#log.characters += charactersOf(more.lines);
    if (!isOverlong(lines.length, this.#log.characters)) return;
    lines.splice(0, lines.length - bounded(lines).length);
    this.#log.characters = charactersOf(lines);
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
    for (const entry of entriesAfter({ stored: this.#stored, log: this.#log }, from)) {
      text += render(idOf(entry.position), entry.event, entry.data);
      position = entry.position;
      if (text.length >= CHUNK_BYTES) break;
    }
    return text === "" ? null : { bytes: Buffer.from(text), position };
  }
}
