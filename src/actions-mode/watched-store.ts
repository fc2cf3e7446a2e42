/**
 * A store that tells when something in it has changed, so that a process knows when its work is done without asking
 * again and again; and that lets comment and check be written in a moment, since a runner that waits is paid for.
 */

import type { EffectType } from "../domain/job/effect.ts";
import type { Commit } from "../engine/ports/jobs.ts";
import type { Store } from "../engine/ports/store.ts";

/** Rings at every change; a ring that nobody waited for is not lost. */
export class ChangeNotifier {
  #rung = 0;
  readonly #waiting = new Set<() => void>();

  get count(): number {
    return this.#rung;
  }

  ring(): void {
    this.#rung++;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the first ring after `seen`, or when the time is over. Keeps the process alive meanwhile. */
  async next(seen: number, ms: number): Promise<void> {
    if (this.#rung !== seen) return;
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

export function watched(store: Store, bell: ChangeNotifier): Store {
  const { jobs, inbox, ...others } = store;
  const ringing = async <T>(change: Promise<T>): Promise<T> => {
    try {
      return await change;
    } finally {
      bell.ring();
    }
  };
  return {
    ...others,
    jobs: {
      load: (id) => jobs.load(id),
      commit: (commit) => ringing(jobs.commit(hurried(commit))),
      postpone: (id, effect, not_before) => ringing(jobs.postpone(id, effect, not_before)),
      settle: (id, effect) => ringing(jobs.settle(id, effect)),
      balance: (account) => jobs.balance(account),
      ofPullRequest: (repository, number) => jobs.ofPullRequest(repository, number),
      ofIssue: (repository, number) => jobs.ofIssue(repository, number),
      ofComment: (repository, comment_id) => jobs.ofComment(repository, comment_id),
      offer: (to, except) => jobs.offer(to, except),
      list: (filter) => jobs.list(filter),
      // the engine would look at these a moment after its start; here they are looked at before the event is heard
      open: async () => [],
      withEffects: () => jobs.withEffects(),
      due: (now, limit) => jobs.due(now, limit),
      nextWake: () => jobs.nextWake(),
      tallyOf: (account) => jobs.tallyOf(account),
      owing: (account) => jobs.owing(account),
      count: () => jobs.count(),
      tally: () => jobs.tally(),
    },
    inbox: {
      record: (delivery) => ringing(inbox.record(delivery)),
      done: (id) => ringing(inbox.done(id)),
      pending: () => inbox.pending(),
      knows: (id) => inbox.knows(id),
      backlog: () => inbox.backlog(),
    },
    writable: () => store.writable(),
    close: () => store.close(),
  };
}
