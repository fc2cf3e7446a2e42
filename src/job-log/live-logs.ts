/**
 * Manages the readers of job logs: one channel per followed job, updated on its commits, and a limited number of
 * readers.
 */
import type { Writable } from "node:stream";
import type { JobId } from "../domain/job/job.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { JobLog } from "../engine/ports/job-log.ts";
import type { JobStore, StoredJob } from "../engine/ports/jobs.ts";
import type { FollowedLog, LiveLogs, LogReader } from "../engine/ports/live-logs.ts";
import type { Log } from "../engine/ports/log.ts";
import type { JobService } from "../engine/ports/service.ts";
import { Channel } from "./channel.ts";
import { type Position, positionOf, resumeAt } from "./entries.ts";
import { Follower, RECONNECT } from "./follower.ts";

/** Sends a comment this often, so that proxies and clients keep the stream open. */
export const HEARTBEAT_MS = 15_000;
/** How often read access is checked again. */
export const CHECK_MS = 3_000;
export const MAX_FOR_ACCOUNT = 100;
export const MAX_READERS = 5_000;

interface Needs {
  readonly jobs: Pick<JobStore, "load">;
  readonly service: Pick<JobService, "follow">;
  readonly jobLog: Pick<JobLog, "read">;
  readonly clock: Clock;
  readonly log: Log;
}

/** All readers of one job. */
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

  async open(stored: StoredJob, reader: LogReader): Promise<FollowedLog> {
    const has = reader.after === null ? null : positionOf(reader.after);
    const log = await this.#needs.jobLog.read(stored.job.id, { nth: has?.log ?? 0, line: has?.line ?? 0 });
    if (this.#stopping) return { kind: "stopping" };
    const position = resumeAt({ stored, log }, reader.after);
    const channel = new Channel(stored, log);
    if (position.ended && channel.over && channel.after(position) === null) return { kind: "read" };
    const taken = this.#readers.get(reader.account) ?? 0;
    if (this.#count >= MAX_READERS || taken >= MAX_FOR_ACCOUNT) return { kind: "too_many" };
    return { kind: "follow", begin: (stream) => this.#begin(stored.job.id, reader, position, stream) };
  }

  stop(): void {
    this.#stopping = true;
    this.#cancelBeat?.();
    for (const one of this.#followers()) one.part(RECONNECT);
  }

  #begin(id: JobId, reader: LogReader, position: Position, stream: Writable): void {
    this.#take(reader.account, 1);
    const left = (): void => {
      this.#take(reader.account, -1);
      this.#exit(id, one);
    };
    const one: Follower = new Follower({ stream, reader, position, clock: this.#needs.clock, left });
    this.#arm();
    this.#enter(id, one).catch((error: unknown) => {
      this.#needs.log.error({ job: id, error }, "a log stream failed");
      stream.destroy();
    });
  }

  async #enter(id: JobId, one: Follower): Promise<void> {
    const room = await this.#roomOf(id);
    // The channel's last other reader has left and closed it meanwhile.
    if (room !== null && this.#rooms.get(id) !== room) return this.#enter(id, one);
    if (room === null || this.#stopping || one.gone) {
      one.part(RECONNECT);
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

  async #roomOf(id: JobId): Promise<Room | null> {
    const { jobs, jobLog, service } = this.#needs;
    const [stored, log] = this.#rooms.has(id) ? [null, null] : await Promise.all([jobs.load(id), jobLog.read(id)]);
    // Another request may have opened it meanwhile.
    const known = this.#rooms.get(id);
    if (known !== undefined || stored === null) return known ?? null;
    const channel = new Channel(stored, log);
    const followers = new Set<Follower>();
    // its first call catches what has happened since
    const leave = service.follow(id, async (next) => {
      channel.update(next, await jobLog.read(id, channel.told));
      for (const one of followers) one.pour(channel);
    });
    const room = { channel, followers, leave };
    this.#rooms.set(id, room);
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
