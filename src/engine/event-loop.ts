/** Lets whoever else waits for the event loop come first. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/**
 * One after the other, with a turn of the event loop after each: every one may write to the disk, and a list may be as long
 * as whoever sent it likes.
 */
export async function eachInTurn<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  for (const item of items) {
    await work(item);
    await yieldToEventLoop();
  }
}
