/** Background work after an answer was sent; callers wait for it and see its failures. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();
  readonly #locks = new Map<string, Promise<unknown>>();

  get idle(): boolean {
    return this.#running.size === 0;
  }

  start(work: () => Promise<void>): void {
    const task: Promise<void> = work()
      .catch((error: unknown) => {
        process.emitWarning(`local GitHub: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      })
      .finally(() => {
        this.#running.delete(task);
      });
    this.#running.add(task);
  }

  /** Tasks of one key run one at a time: two merges into one branch must not interleave. */
  exclusive<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#locks.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#locks.set(
      key,
      mine.catch(() => undefined),
    );
    return mine;
  }

  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
