/**
 * Who follows which job's log. A reader is written to while its socket takes it, and no further: one that lags is at its
 * place in the stored job, not in a buffer, and goes on from there when it reads again, or is cut when it does not.
 */
import type { Writable } from "node:stream";
import type { Door } from "../engine/door.ts";
import type { Clock, FollowedLog, JobStore, LiveLogs, Log, LogReader } from "../engine/ports.ts";
import type { JobId } from "../job/job.ts";
import { Channel } from "./channel.ts";
import { type Place, resumeAt } from "./entries.ts";

/** A comment this often tells proxies and readers that the stream lives. */
export const HEARTBEAT_MS = 15_000;
/** A reader whose socket takes nothing for so long is cut; it may come again with its last id. */
export const CUT_AFTER_MS = 30_000;
/** After that a stream ends, so that keys which are over read no more; it may come again. */
export const LONGEST_MS = 3_600_000;
export const MOST_FOR_ACCOUNT = 100;
export const MOST_READERS = 5_000;

const HEARTBEAT = Buffer.from(":\n\n");
const HELLO = "retry: 2000\n\n";
const COME_AGAIN = ": come again with Last-Event-ID\nretry: 1000\n\n";

interface Needs {
  readonly jobs: Pick<JobStore, "load">;
  readonly door: Pick<Door, "follow">;
  readonly clock: Clock;
  readonly log: Log;
}

interface Following {
  readonly stream: Writable;
  readonly reader: LogReader;
  readonly begun_at: number;
  place: Place;
  /** Since when the socket takes nothing; null: it does. */
  full_since: number | null;
  leave: () => void;
}

interface Room {
  readonly channel: Channel;
  readonly followers: Set<Following>;
  leave: () => void;
}

export function createLiveLogs({ jobs, door, clock, log }: Needs): LiveLogs {
  const rooms = new Map<JobId, Room>();
  const readers = new Map<string, number>();
  let count = 0;
  let stopping = false;
  let cancelSweep: (() => void) | null = null;

  const taken = (account: string, change: 1 | -1): void => {
    count += change;
    const next = (readers.get(account) ?? 0) + change;
    if (next === 0) readers.delete(account);
    else readers.set(account, next);
  };

  const write = (one: Following, bytes: Buffer | string): void => {
    if (one.stream.write(bytes)) return;
    one.full_since = clock.now();
  };

  /** Everything that this reader lacks, as far as its socket takes it. */
  const pour = (one: Following, { channel }: Room): void => {
    while (one.full_since === null) {
      if (!one.reader.may(channel.job)) return part(one, "");
      const piece = channel.after(one.place);
      if (piece === null) {
        if (channel.over) part(one, channel.end(one.place));
        return;
      }
      one.place = piece.place;
      write(one, piece.bytes);
    }
  };

  /** The last of it has as long as any other piece to be read. */
  const part = ({ stream, leave, full_since }: Following, last: string): void => {
    leave();
    if (full_since !== null) stream.destroy();
    if (stream.destroyed) return;
    const cancel = clock.at(clock.now() + CUT_AFTER_MS, () => stream.destroy());
    stream.once("close", cancel);
    stream.end(last);
  };

  const roomOf = async (id: JobId): Promise<Room | null> => {
    const stored = rooms.has(id) ? null : await jobs.load(id);
    // somebody else may have opened it meanwhile
    const known = rooms.get(id);
    if (known !== undefined || stored === null) return known ?? null;
    const room: Room = { channel: new Channel(stored), followers: new Set(), leave: () => {} };
    room.leave = door.follow(id, (next) => {
      room.channel.update(next);
      for (const one of room.followers) pour(one, room);
    });
    rooms.set(id, room);
    // a commit between the reading and the following would be missed
    const latest = await jobs.load(id);
    if (latest !== null) room.channel.update(latest);
    return room;
  };

  const close = (id: JobId, room: Room): void => {
    if (room.followers.size > 0 || rooms.get(id) !== room) return;
    rooms.delete(id);
    room.leave();
  };

  const enter = async (id: JobId, one: Following): Promise<void> => {
    const room = await roomOf(id);
    if (room === null) return part(one, "");
    room.followers.add(one);
    const { leave } = one;
    one.leave = () => {
      leave();
      room.followers.delete(one);
      close(id, room);
    };
    if (stopping || one.stream.destroyed) return part(one, COME_AGAIN);
    one.stream.on("drain", () => {
      one.full_since = null;
      pour(one, room);
    });
    pour(one, room);
  };

  const sweepOne = (one: Following, now: number): void => {
    if (one.full_since !== null) {
      if (now - one.full_since >= CUT_AFTER_MS) one.stream.destroy();
    } else if (now - one.begun_at >= LONGEST_MS) part(one, COME_AGAIN);
    else write(one, HEARTBEAT);
  };

  const sweep = (): void => {
    cancelSweep = null;
    const now = clock.now();
    for (const room of [...rooms.values()]) for (const one of [...room.followers]) sweepOne(one, now);
    arm();
  };

  const arm = (): void => {
    if (cancelSweep !== null || count === 0 || stopping) return;
    cancelSweep = clock.at(clock.now() + HEARTBEAT_MS, sweep);
  };

  const begin = (id: JobId, reader: LogReader, place: Place, stream: Writable): void => {
    let there = true;
    taken(reader.account, 1);
    const leave = (): void => {
      if (there) taken(reader.account, -1);
      there = false;
    };
    const one: Following = { stream, reader, begun_at: clock.now(), place, full_since: null, leave };
    stream.on("close", () => one.leave());
    stream.on("error", () => stream.destroy());
    write(one, HELLO);
    arm();
    enter(id, one).catch((error: unknown) => {
      log.error({ job: id, error }, "a log could not be followed");
      stream.destroy();
    });
  };

  return {
    open(stored, reader): FollowedLog {
      if (stopping) return { kind: "stopping" };
      const place = resumeAt(stored, reader.after);
      const channel = new Channel(stored);
      if (place.ended && channel.over && channel.after(place) === null) return { kind: "read" };
      if (count >= MOST_READERS || (readers.get(reader.account) ?? 0) >= MOST_FOR_ACCOUNT) return { kind: "too_many" };
      return { kind: "follow", begin: (stream) => begin(stored.job.id, reader, place, stream) };
    },
    stop() {
      stopping = true;
      cancelSweep?.();
      for (const room of [...rooms.values()]) for (const one of [...room.followers]) part(one, COME_AGAIN);
    },
  };
}
