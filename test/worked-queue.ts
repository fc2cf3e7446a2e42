/** A queue in memory that is worked on by a few handlers, for one test. */
import type { Clock } from "../src/engine/ports/clock.ts";
import { TASK_KINDS, type TaskHandler, type TaskHandlers, type WorkQueue } from "../src/engine/ports/work-queue.ts";
import { InProcessQueue } from "../src/store/lowdb/in-process-queue.ts";

const IDLE: TaskHandler = { slots: 1, perform: async () => null };

/** Tasks of other kinds are done at once. */
export const withIdle = (handlers: Partial<TaskHandlers>): TaskHandlers => ({
  ...(Object.fromEntries(TASK_KINDS.map((kind) => [kind, IDLE])) as unknown as TaskHandlers),
  ...handlers,
});

export async function workedQueue(
  clock: Clock,
  handlers: Partial<TaskHandlers>,
): Promise<Pick<WorkQueue, "schedule"> & { stop(): Promise<void> }> {
  const queue = new InProcessQueue(clock, () => []);
  const work = await queue.work(withIdle(handlers), () => {});
  return {
    schedule: (tasks) => queue.schedule(tasks),
    stop: async () => work[Symbol.asyncDispose](),
  };
}
