/**
 * Who follows which job's log: a room for each job that is followed, fed by its commits, and a place for each reader,
 * of which there are so many and no more.
 */
import type { Writable } from "node:stream";
import type { JobId } from "../domain/job/job.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { JobStore, StoredJob } from "../engine/ports/jobs.ts";
import type { FollowedLog, LiveLogs, LogReader } from "../engine/ports/live-logs.ts";
import type { Log } from "../engine/ports/log.ts";
import type { RunLines } from "../engine/ports/runs.ts";
import type { JobService } from "../engine/ports/service.ts";
import { Channel } from "./channel.ts";
import { type Place, resumeAt } from "./entries.ts";
import { COME_AGAIN, Follower } from "./follower.ts";

/** A comment this often tells proxies and readers that the stream lives. */
export const HEARTBEAT_MS = 15_000;
/** So often it is looked whether readers may still read. */
export const CHECK_MS = 3_000;
export const MOST_FOR_ACCOUNT = 100;
export const MOST_READERS = 5_000;

interface Needs {
  readonly jobs: Pick<JobStore, "load">;
  readonly service: Pick<JobService, "follow">;
  /** Lines that come before they are stored. */
  readonly lines: Pick<RunLines, "viewed" | "follow">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everybody who follows one job. */
interface Room {
  readonly channel: Channel;
  readonly followers: Set<Follower>;
  readonly leave: () => void;
}

class LogRooms implements LiveLogs {
  readonly #needs: Needs;
  readonly #rooms = new Map<JobId, Room>();
  readonly #readers = new Map<string, number>();
  #count = 0;
  #stopping = false;
  #cancelBeat: (() => void) | null = null;
  #beaten_at = 0;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  open(stored: StoredJob, reader: LogReader): FollowedLog {
    if (this.#stopping) return { kind: "stopping" };
    const place = resumeAt(this.#needs.lines.viewed(stored), reader.after);
    const channel = this.#channelOf(stored);
    if (place.ended && channel.over && channel.after(place) === null) return { kind: "read" };
    const taken = this.#readers.get(reader.account) ?? 0;
    if (this.#count >= MOST_READERS || taken >= MOST_FOR_ACCOUNT) return { kind: "too_many" };
    return { kind: "follow", begin: (stream) => this.#begin(stored.job.id, reader, place, stream) };
  }

  stop(): void {
    this.#stopping = true;
    this.#cancelBeat?.();
    for (const one of this.#followers()) one.part(COME_AGAIN);
  }

  #begin(id: JobId, reader: LogReader, place: Place, stream: Writable): void {
    this.#take(reader.account, 1);
    const left = (): void => {
      this.#take(reader.account, -1);
      this.#exit(id, one);
    };
    const one: Follower = new Follower({ stream, reader, place, clock: this.#needs.clock, left });
    this.#arm();
    this.#enter(id, one).catch((error: unknown) => {
      this.#needs.log.error({ job: id, error }, "a log could not be followed");
      stream.destroy();
    });
  }

  async #enter(id: JobId, one: Follower): Promise<void> {
    const room = await this.#roomOf(id);
    // the last of its other readers has left meanwhile, and closed it
    if (room !== null && this.#rooms.get(id) !== room) return this.#enter(id, one);
    if (room === null || this.#stopping || one.gone) {
      one.part(COME_AGAIN);
      this.#close(id);
      return;
    }
    room.followers.add(one);
    one.follow(room.channel);
  }

  #exit(id: JobId, one: Follower): void {
    this.#rooms.get(id)?.followers.delete(one);
    this.#close(id);
  }

  #channelOf(stored: StoredJob): Channel {
    return new Channel(stored, (one) => this.#needs.lines.viewed(one));
  }

  async #roomOf(id: JobId): Promise<Room | null> {
    const { jobs, service, lines } = this.#needs;
    const stored = this.#rooms.has(id) ? null : await jobs.load(id);
    // somebody else may have opened it meanwhile
    const known = this.#rooms.get(id);
    if (known !== undefined || stored === null) return known ?? null;
    const channel = this.#channelOf(stored);
    const followers = new Set<Follower>();
    const pour = (): void => {
      for (const one of followers) one.pour(channel);
    };
    const leaveDoor = service.follow(id, (next) => {
      channel.update(next);
      pour();
    });
    const leaveLines = lines.follow(id, () => {
      channel.grow();
      pour();
    });
    const leave = (): void => {
      leaveDoor();
      leaveLines();
    };
    const room = { channel, followers, leave };
    this.#rooms.set(id, room);
    // a commit between the reading and the following would be missed
    const latest = await jobs.load(id);
    if (latest !== null) channel.update(latest);
    return room;
  }

  #close(id: JobId): void {
    const room = this.#rooms.get(id);
    if (room === undefined || room.followers.size > 0) return;
    this.#rooms.delete(id);
    room.leave();
  }

  #take(account: string, change: 1 | -1): void {
    this.#count += change;
    const next = (this.#readers.get(account) ?? 0) + change;
    if (next === 0) this.#readers.delete(account);
    else this.#readers.set(account, next);
  }

  #followers(): Follower[] {
    return [...this.#rooms.values()].flatMap(({ followers }) => [...followers]);
  }

  #arm(): void {
    if (this.#cancelBeat !== null || this.#count === 0 || this.#stopping) return;
    const { clock } = this.#needs;
    this.#beaten_at = clock.now();
    const wait = (): void => {
      this.#cancelBeat = clock.at(clock.now() + CHECK_MS, () => {
        this.#cancelBeat = null;
        const now = clock.now();
        const beats = now - this.#beaten_at >= HEARTBEAT_MS;
        for (const one of this.#followers()) {
          one.check();
          if (beats && !one.gone) one.beat(now);
        }
        if (beats) this.#beaten_at = now;
        if (this.#count > 0 && !this.#stopping) wait();
      });
    };
    wait();
  }
}

export const createLiveLogs = (needs: Needs): LiveLogs => new LogRooms(needs);
