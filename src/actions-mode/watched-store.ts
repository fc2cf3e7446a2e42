/**
 * Wraps a store for Actions mode: it notifies of every change, so that the process need not poll to know when its work is
 * done.
 */

import type { Store } from "../engine/ports/store.ts";

/** Counts changes, so that one that nobody waited for is not lost. */
export class ChangeNotifier {
  #count = 0;
  readonly #waiting = new Set<() => void>();

  get count(): number {
    return this.#count;
  }

  notify(): void {
    this.#count++;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the first change after `seen`, or when the time is over. Keeps the process alive meanwhile. */
  async next(seen: number, ms: number): Promise<void> {
    if (this.#count !== seen) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }
}

/** The same object with some of its members replaced. */
const withMembers = <T extends object>(target: T, members: Partial<T>): T =>
  new Proxy(target, {
    get(of, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name);
      const value: unknown = Reflect.get(of, name);
      return typeof value === "function" ? value.bind(of) : value;
    },
  });

export function watched(store: Store, changes: ChangeNotifier): Store {
  const { jobs, repositories, inbox } = store;
  const notifying =
    <Args extends readonly unknown[], T>(change: (...args: Args) => Promise<T>) =>
    (...args: Args): Promise<T> =>
      change(...args).finally(() => changes.notify());
  return withMembers(store, {
    jobs: withMembers(jobs, {
      commit: notifying((...args) => jobs.commit(...args)),
      reschedule: notifying((...args) => jobs.reschedule(...args)),
      acknowledge: notifying((...args) => jobs.acknowledge(...args)),
      // the engine would look at these a moment after its start; here that is done before the event is processed
      open: async () => [],
    }),
    repositories: withMembers(repositories, {
      commit: notifying((commit) => repositories.commit(commit)),
      reschedule: notifying((...args) => repositories.reschedule(...args)),
      acknowledge: notifying((...args) => repositories.acknowledge(...args)),
    }),
    inbox: withMembers(inbox, {
      record: notifying((delivery) => inbox.record(delivery)),
      done: notifying((id) => inbox.done(id)),
    }),
  });
}
