/**
 * Implements `concurrency:` groups: one run in progress and one waiting per group. A newer waiting run cancels the
 * older one, and with `cancel-in-progress` the running one too. Names are case-insensitive.
 */
export interface Holder {
  cancel(): void;
  readonly signal: AbortSignal;
}

interface Group {
  holder: Holder;
  waiting: { readonly holder: Holder; go(got: boolean): void } | undefined;
}

export class ConcurrencyGroups {
  readonly #groups = new Map<string, Group>();

  /** False if cancelled while waiting. True means that the caller holds the group until `release`. */
  acquire(name: string, holder: Holder, cancelInProgress: boolean): Promise<boolean> {
    const key = name.toLowerCase();
    const group = this.#groups.get(key);
    if (group === undefined) {
      this.#groups.set(key, { holder, waiting: undefined });
      return Promise.resolve(true);
    }
    group.waiting?.holder.cancel();
    group.waiting?.go(false);
    const waited = new Promise<boolean>((go) => {
      group.waiting = { holder, go };
      holder.signal.addEventListener(
        "abort",
        () => {
          if (group.waiting?.holder === holder) group.waiting = undefined;
          go(false);
        },
        { once: true },
      );
    });
    if (cancelInProgress) group.holder.cancel();
    return waited;
  }

  release(name: string, holder: Holder): void {
    const key = name.toLowerCase();
    const group = this.#groups.get(key);
    if (group?.holder !== holder) return;
    const next = group.waiting;
    if (next === undefined) {
      this.#groups.delete(key);
      return;
    }
    this.#groups.set(key, { holder: next.holder, waiting: undefined });
    next.go(true);
  }
}
