/**
 * One reader of a log. It is written to while its socket takes it, and no further: one that lags is at its place in the
 * stored job, not in a buffer, and goes on from there when it reads again, or is cut when it does not.
 */
import type { Writable } from "node:stream";
import type { Clock } from "../engine/ports/clock.ts";
import type { LogReader } from "../engine/ports/live-logs.ts";
import type { Channel } from "./channel.ts";
import type { Place } from "./entries.ts";

/** A reader whose socket takes nothing for so long is cut; it may come again with its last id. */
export const CUT_AFTER_MS = 30_000;
/** After that a stream ends, so that nobody reads for ever on one request; it may come again. */
export const LONGEST_MS = 3_600_000;

const HEARTBEAT = Buffer.from(":\n\n");
const HELLO = "retry: 2000\n\n";
export const COME_AGAIN = ": come again with Last-Event-ID\nretry: 1000\n\n";

interface Needs {
  readonly stream: Writable;
  readonly reader: LogReader;
  readonly place: Place;
  readonly clock: Clock;
  /** It reads no more; called once. */
  readonly left: () => void;
}

export class Follower {
  readonly #needs: Needs;
  readonly #begun_at: number;
  #place: Place;
  /** Since when the socket takes nothing; null: it does. */
  #full_since: number | null = null;
  #gone = false;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#place = needs.place;
    this.#begun_at = needs.clock.now();
    const { stream } = needs;
    stream.on("close", () => this.#leave());
    stream.on("error", () => stream.destroy());
    this.#write(HELLO);
  }

  get gone(): boolean {
    return this.#gone || this.#needs.stream.destroyed;
  }

  /** From now on everything that it lacks, whenever its socket takes it. */
  follow(channel: Channel): void {
    this.#needs.stream.on("drain", () => {
      this.#full_since = null;
      this.pour(channel);
    });
    this.pour(channel);
  }

  pour(channel: Channel): void {
    if (!this.#needs.reader.stands() || !this.#needs.reader.may(channel.job)) this.part("");
    while (this.#full_since === null && !this.#gone) {
      const piece = channel.after(this.#place);
      if (piece === null) {
        if (channel.over) this.part(channel.end(this.#place));
        break;
      }
      this.#place = piece.place;
      this.#write(piece.bytes);
    }
  }

  /** A moment has passed: whoever may not read any more goes. */
  check(): void {
    if (!this.#needs.reader.stands()) this.part("");
  }

  /** Time has passed: a sign of life, or the end. */
  beat(now: number): void {
    const full = this.#full_since;
    if (full !== null) {
      if (now - full >= CUT_AFTER_MS) this.#needs.stream.destroy();
    } else if (now - this.#begun_at >= LONGEST_MS) this.part(COME_AGAIN);
    else this.#write(HEARTBEAT);
  }

  /** The last of it has as long as any other piece to be read. */
  part(last: string): void {
    const { stream, clock } = this.#needs;
    this.#leave();
    if (this.#full_since !== null) stream.destroy();
    if (stream.destroyed) return;
    const cancel = clock.at(clock.now() + CUT_AFTER_MS, () => stream.destroy());
    stream.once("close", cancel);
    stream.end(last);
  }

  #write(bytes: Buffer | string): void {
    if (!this.#needs.stream.write(bytes)) this.#full_since = this.#needs.clock.now();
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#needs.left();
  }
}
