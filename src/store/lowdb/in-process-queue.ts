/**
 * The work queue of one process. It keeps nothing on the disk: what it holds follows from the records, from which it is
 * filled when work begins. Those tasks count as begun before, by a process that may have died meanwhile.
 */
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import type { Clock } from "../../engine/ports/clock.ts";
import type { Task, TaskAnswer, TaskHandlers, TaskKind, WorkQueue } from "../../engine/ports/work-queue.ts";
import { createFairQueue, type FairQueue } from "./fair-queue.ts";
import { SortedList } from "./sorted-list.ts";

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 300_000;

const nameOf = ({ kind, key }: Task): string => `${kind} ${key}`;

interface Entry {
  task: Task;
  /** The order of those that are due at once. */
  number: number;
  state: "asleep" | "ready" | "running";
  /** Scheduled while it runs. */
  next: Task | null;
  again: boolean;
  failures: number;
}

const dueAt = ({ task }: Entry): number => task.at ?? 0;
const byTime = (a: Entry, b: Entry): number => dueAt(a) - dueAt(b) || a.number - b.number;

interface Work {
  readonly handlers: TaskHandlers;
  readonly failed: (task: Task, error: unknown) => void;
  readonly turns: Map<TaskKind, FairQueue>;
  readonly stopping: AbortController;
  readonly running: Set<Promise<void>>;
}

export class InProcessQueue implements WorkQueue {
  readonly #clock: Pick<Clock, "now" | "at">;
  readonly #found: () => Iterable<Task>;
  readonly #entries = new Map<string, Entry>();
  readonly #asleep = new SortedList<Entry>(byTime);
  /** Those that are ready or run, first the one whose turn it is. */
  readonly #lanes = new Map<string, Set<Entry>>();
  #armed: { readonly at: number; readonly cancel: () => void } | null = null;
  #work: Work | null = null;
  #scheduled = 0;

  /** `found`: what the records ask for. */
  constructor(clock: Pick<Clock, "now" | "at">, found: () => Iterable<Task>) {
    this.#clock = clock;
    this.#found = found;
  }

  async schedule(tasks: readonly Task[]): Promise<void> {
    for (const task of tasks) this.#add(task);
  }

  async work(handlers: TaskHandlers, failed: Work["failed"]): Promise<AsyncDisposable> {
    if (this.#work !== null) throw new Error("The queue is worked on already.");
    for (const task of this.#found()) this.#add(task).again = true;
    const work: Work = {
      ...{ handlers, failed, turns: new Map(), running: new Set() },
      stopping: new AbortController(),
    };
    this.#work = work;
    this.#ring();
    return { [Symbol.asyncDispose]: () => this.#stop(work) };
  }

  /** What did not begin is found in the records by the next who works. */
  async #stop({ stopping, running }: Work): Promise<void> {
    if (stopping.signal.aborted) return;
    stopping.abort();
    this.#armed?.cancel();
    this.#armed = null;
    await Promise.allSettled(running);
    this.#entries.clear();
    this.#asleep.keep(() => false);
    this.#lanes.clear();
    this.#work = null;
  }

  #add(task: Task): Entry {
    const name = nameOf(task);
    const known = this.#entries.get(name);
    const entry = known ?? { task, number: 0, state: "asleep", next: null, again: false, failures: 0 };
    if (entry.state === "running") entry.next = task;
    else if (entry.state === "ready") entry.task = task;
    else {
      if (known !== undefined) this.#asleep.remove(entry);
      this.#entries.set(name, entry);
      this.#place(entry, task);
    }
    return entry;
  }

  #place(entry: Entry, task: Task): void {
    entry.task = task;
    entry.number = this.#scheduled++;
    if (this.#work !== null && dueAt(entry) <= this.#clock.now()) {
      this.#queue(entry, this.#work);
      return;
    }
    entry.state = "asleep";
    this.#asleep.add(entry);
    this.#arm();
  }

  #arm(): void {
    const first = this.#asleep.at(0);
    if (first === undefined || this.#work === null || this.#work.stopping.signal.aborted) return;
    const at = dueAt(first);
    if (this.#armed !== null && this.#armed.at <= at) return;
    this.#armed?.cancel();
    this.#armed = { at, cancel: this.#clock.at(at, () => this.#ring()) };
  }

  #ring(): void {
    this.#armed = null;
    if (this.#work === null) return;
    const now = this.#clock.now();
    for (let first = this.#asleep.at(0); first !== undefined && dueAt(first) <= now; first = this.#asleep.at(0)) {
      this.#asleep.remove(first);
      this.#queue(first, this.#work);
    }
    this.#arm();
  }

  #queue(entry: Entry, work: Work): void {
    entry.state = "ready";
    const lane = entry.task.lane ?? nameOf(entry.task);
    const waiting = this.#lanes.get(lane);
    if (waiting !== undefined) {
      waiting.add(entry);
      return;
    }
    this.#lanes.set(lane, new Set([entry]));
    void this.#empty(lane, work);
  }

  /** One turn of the tenant's for each task of the lane. */
  async #empty(lane: string, work: Work): Promise<void> {
    const waiting = this.#lanes.get(lane);
    for (const entry of waiting ?? []) {
      const { kind, tenant = 0 } = entry.task;
      const shared = work.turns.get(kind) ?? createFairQueue(work.handlers[kind].slots);
      work.turns.set(kind, shared);
      await shared.take(tenant, async () => {
        // it may come again
        waiting?.delete(entry);
        if (work.stopping.signal.aborted) return;
        const run = this.#run(entry, work);
        work.running.add(run);
        await run.finally(() => work.running.delete(run));
      });
    }
    if (this.#lanes.get(lane) === waiting) this.#lanes.delete(lane);
  }

  async #run(entry: Entry, { handlers, failed, stopping }: Work): Promise<void> {
    if (dueAt(entry) > this.#clock.now()) {
      this.#place(entry, entry.task);
      return;
    }
    entry.state = "running";
    const { task, again, failures } = entry;
    // many small ones would keep everything else waiting
    await yieldToEventLoop();
    let answer: TaskAnswer;
    try {
      answer = await handlers[task.kind].perform(task.key, { again, failures, signal: stopping.signal });
      entry.again = false;
    } catch (error) {
      failed(task, error);
      entry.again = true;
      answer = { again_at: this.#clock.now() + Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures) };
    }
    entry.failures = answer === null || entry.next !== null ? 0 : failures + 1;
    const next = entry.next ?? (answer === null ? null : { ...task, at: answer.again_at });
    entry.next = null;
    if (next === null) this.#entries.delete(nameOf(task));
    else this.#place(entry, next);
  }
}
