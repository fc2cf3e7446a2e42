/** The live feed: one readable line per event, for whoever displays it. */
export interface Change {
  readonly at: number;
  readonly kind:
    | "branch"
    | "push"
    | "issue"
    | "comment"
    | "label"
    | "pull_request"
    | "merge"
    | "merge_queue"
    | "review"
    | "check_run"
    | "status"
    | "run"
    | "job"
    | "app"
    | "installation"
    | "delivery";
  readonly repository: string;
  readonly text: string;
}

export class Feed {
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(kind: Change["kind"], repository: { owner: { login: string }; name: string } | undefined, text: string): void {
    const name = repository ? `${repository.owner.login}/${repository.name}` : "";
    const change: Change = { at: this.#now(), kind, repository: name, text };
    for (const listener of this.#listeners) listener(change);
  }
}
