/** Ends a job before its steps are done: on a cancel, at its time limit, or when the runner closes. */

export class JobLimits {
  readonly #ended = new AbortController();
  readonly #forced = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #cancel: AbortSignal;
  readonly #closing: AbortSignal;
  readonly #onCancel = () => this.#end("cancel");
  readonly #onClosing = () => this.#forced.abort();
  readonly #afterCancelMs: number;
  #why: "cancel" | "time" | undefined;

  constructor(limits: { timeoutMinutes: number; afterCancelMs: number; cancel: AbortSignal; closing: AbortSignal }) {
    const { timeoutMinutes, cancel, closing } = limits;
    this.#cancel = cancel;
    this.#closing = closing;
    this.#afterCancelMs = limits.afterCancelMs;
    this.#cancel.addEventListener("abort", this.#onCancel, { once: true });
    this.#closing.addEventListener("abort", this.#onClosing, { once: true });
    this.#timers.push(setTimeout(() => this.#end("time"), timeoutMinutes * 60_000));
    if (this.#cancel.aborted) this.#end("cancel");
    if (this.#closing.aborted) this.#forced.abort();
  }

  #end(why: "cancel" | "time"): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#timers.push(setTimeout(() => this.#forced.abort(), this.#afterCancelMs));
    this.#ended.abort();
  }

  get why(): "cancel" | "time" | undefined {
    return this.#why;
  }

  /** Asks the current step to end. A step that starts after a cancel is not asked again. */
  forStep(): AbortSignal {
    return this.#why === undefined ? this.#ended.signal : this.#forced.signal;
  }

  /** Kills everything at once. */
  get forced(): AbortSignal {
    return this.#forced.signal;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#cancel.removeEventListener("abort", this.#onCancel);
    this.#closing.removeEventListener("abort", this.#onClosing);
  }
}
