/**
 * The log of one job, rendered once for everybody who follows it: pieces of server-sent events of bounded size, kept
 * while the job does not change. Knows no readers.
 */

import { outcomeOf } from "../domain/job/outcome.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";
import { entriesAfter, idOf, isOver, type Place } from "./entries.ts";

/** A piece is written at once, so it bounds what waits for a reader; a single entry may be longer, up to its own limit. */
const PIECE_BYTES = 16 * 1024;
/** Pieces that are kept; readers who are at different places need different ones. */
const MOST_KEPT = 64;

export interface Piece {
  readonly bytes: Buffer;
  /** Where a reader is who has it. */
  readonly place: Place;
}

const render = (id: string, event: string, data: object): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** A job as its readers see it. */
type View = (stored: StoredJob) => StoredJob;

export class Channel {
  readonly #view: View;
  #stored: StoredJob;
  /** {@link #stored} as it was last seen. */
  #seen: StoredJob;
  readonly #pieces = new Map<string, Piece | null>();
  /** The same by the place itself: readers who keep up share it, and there are many of them. */
  readonly #next = new Map<Place, Piece | null>();

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

  /** The job as it is now; one that is older than what is known is dropped. */
  update(stored: StoredJob): void {
    if (stored.version <= this.#stored.version) return;
    this.#stored = stored;
    this.grow();
  }

  /** There are further lines, which no commit tells of. */
  grow(): void {
    this.#seen = this.#view(this.#stored);
    this.#pieces.clear();
    this.#next.clear();
  }

  /** What comes next for a reader at this place; null: they have everything. */
  after(place: Place): Piece | null {
    const next = this.#next.get(place);
    if (next !== undefined) return next;
    const piece = this.#piece(place);
    if (this.#next.size >= MOST_KEPT) this.#next.clear();
    this.#next.set(place, piece);
    return piece;
  }

  #piece(place: Place): Piece | null {
    const key = idOf(place);
    const known = this.#pieces.get(key);
    if (known !== undefined) return known;
    const piece = this.#render(place);
    if (this.#pieces.size >= MOST_KEPT) this.#pieces.clear();
    this.#pieces.set(key, piece);
    return piece;
  }

  /** The last event of all. Its id is a place too: a further round goes on from there. */
  end(place: Place): string {
    const { job } = this.#stored;
    const { status, merged_at } = job;
    const merged = merged_at === null ? null : new Date(merged_at).toISOString();
    return render(`${idOf(place)}.end`, "end", { status, outcome: outcomeOf(job), merged_at: merged });
  }

  #render(from: Place): Piece | null {
    let text = "";
    let place = from;
    for (const entry of entriesAfter(this.#seen, from)) {
      text += render(idOf(entry.place), entry.event, entry.data);
      place = entry.place;
      if (text.length >= PIECE_BYTES) break;
    }
    return text === "" ? null : { bytes: Buffer.from(text), place };
  }
}
