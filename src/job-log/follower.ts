/**
 * One reader of a log stream. Slow clients are not buffered: they continue from their position in the stored job. A
 * stalled connection is closed.
 */
import type { Writable } from "node:stream";
import type { Clock } from "../engine/ports/clock.ts";
import type { LogReader } from "../engine/ports/live-logs.ts";
import type { Channel } from "./channel.ts";
import type { Position } from "./entries.ts";

/** A stalled connection is closed after this time; the client can resume with its last id. */
export const STALLED_MS = 30_000;
/** A stream ends after this time; the client can resume. */
export const MAX_STREAM_MS = 3_600_000;

const HEARTBEAT = Buffer.from(":\n\n");
const FIRST_COMMENT = "retry: 2000\n\n";
export const RECONNECT = ": come again with Last-Event-ID\nretry: 1000\n\n";

interface Needs {
  readonly stream: Writable;
  readonly reader: LogReader;
  readonly position: Position;
  readonly clock: Clock;
  /** Called once when the connection closes. */
  readonly left: () => void;
}

export class Follower {
  readonly #needs: Needs;
  readonly #begun_at: number;
  #place: Position;
  /** When the socket became full; null while it accepts data. */
  #full_since: number | null = null;
  #gone = false;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#place = needs.position;
    this.#begun_at = needs.clock.now();
    const { stream } = needs;
    stream.on("close", () => this.#leave());
    stream.on("error", () => stream.destroy());
    this.#write(FIRST_COMMENT);
  }

  get gone(): boolean {
    return this.#gone || this.#needs.stream.destroyed;
  }

  /** Starts sending entries whenever the socket accepts data. */
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
      const chunk = channel.after(this.#place);
      if (chunk === null) {
        if (channel.over) this.part(channel.end(this.#place));
        break;
      }
      this.#place = chunk.position;
      this.#write(chunk.bytes);
    }
  }

  /** Called regularly: closes the stream of a reader who has lost access. */
  check(): void {
    if (!this.#needs.reader.stands()) this.part("");
  }

  /** Called regularly: sends a heartbeat or ends the stream. */
  beat(now: number): void {
    const full = this.#full_since;
    if (full !== null) {
      if (now - full >= STALLED_MS) this.#needs.stream.destroy();
    } else if (now - this.#begun_at >= MAX_STREAM_MS) this.part(RECONNECT);
    else this.#write(HEARTBEAT);
  }

  /** The final event gets the same time limit as any other chunk. */
  part(last: string): void {
    const { stream, clock } = this.#needs;
    this.#leave();
    if (this.#full_since !== null) stream.destroy();
    if (stream.destroyed) return;
    const cancel = clock.at(clock.now() + STALLED_MS, () => stream.destroy());
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
