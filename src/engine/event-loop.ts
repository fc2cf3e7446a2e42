/** Yields to other work on the event loop. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/**
 * Processes items one by one with a turn of the event loop after each: each may write to the disk, and senders choose
 * the length of the list.
 */
export async function eachInTurn<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  for (const item of items) {
    await work(item);
    await yieldToEventLoop();
  }
}
