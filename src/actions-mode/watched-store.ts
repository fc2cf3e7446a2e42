/**
 * Wraps a store for Actions mode: it notifies of every change, so that the process need not poll to know when its work is
 * done, and it writes comment and check almost at once, since a waiting runner is paid for.
 */

import type { EffectType } from "../domain/job/effect.ts";
import type { Commit } from "../engine/ports/jobs.ts";
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

const PACED: ReadonlySet<EffectType> = new Set(["sync-comment", "sync-check"]);
/** Long enough for one write to say what several commits of the same event have changed. */
const MOMENT_MS = 400;

/** The gaps between edits are for a server: here, one event changes a comment once or twice. */
const hurried = (commit: Commit): Commit => ({
  ...commit,
  effects: commit.effects.map((wanted) =>
    PACED.has(wanted.effect.type)
      ? { ...wanted, not_before: Math.min(wanted.not_before, commit.at + MOMENT_MS) }
      : wanted,
  ),
});

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
  const { jobs, inbox } = store;
  const notifying =
    <Args extends readonly unknown[], T>(change: (...args: Args) => Promise<T>) =>
    (...args: Args): Promise<T> =>
      change(...args).finally(() => changes.notify());
  return withMembers(store, {
    jobs: withMembers(jobs, {
      commit: notifying((commit) => jobs.commit(hurried(commit))),
      reschedule: notifying((...args) => jobs.reschedule(...args)),
      acknowledge: notifying((...args) => jobs.acknowledge(...args)),
      // the engine would look at these a moment after its start; here that is done before the event is processed
      open: async () => [],
    }),
    inbox: withMembers(inbox, {
      record: notifying((delivery) => inbox.record(delivery)),
      done: notifying((id) => inbox.done(id)),
    }),
  });
}
