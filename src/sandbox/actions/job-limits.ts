/** Owns why and when a job must end before its steps are done: a cancel, its time limit, or the runner closing. */

/** After a cancel or a time-out, steps with `always()` or `cancelled()` get this long, as on GitHub. */
const CANCELLED_STEPS_MS = 5 * 60_000;

export class JobLimits {
  readonly #ended = new AbortController();
  readonly #forced = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #cancel: AbortSignal;
  readonly #closing: AbortSignal;
  readonly #onCancel = () => this.#end("cancel");
  readonly #onClosing = () => this.#forced.abort();
  #why: "cancel" | "time" | undefined;

  constructor(timeoutMinutes: number, cancel: AbortSignal, closing: AbortSignal) {
    this.#cancel = cancel;
    this.#closing = closing;
    this.#cancel.addEventListener("abort", this.#onCancel, { once: true });
    this.#closing.addEventListener("abort", this.#onClosing, { once: true });
    this.#timers.push(setTimeout(() => this.#end("time"), timeoutMinutes * 60_000));
    if (this.#cancel.aborted) this.#end("cancel");
    if (this.#closing.aborted) this.#forced.abort();
  }

  #end(why: "cancel" | "time"): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#timers.push(setTimeout(() => this.#forced.abort(), CANCELLED_STEPS_MS));
    this.#ended.abort();
  }

  get why(): "cancel" | "time" | undefined {
    return this.#why;
  }

  /** What ends a step that starts now. One that starts after a cancel runs on until it is forced. */
  forStep(): AbortSignal {
    return this.#why === undefined ? AbortSignal.any([this.#ended.signal, this.#forced.signal]) : this.#forced.signal;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#cancel.removeEventListener("abort", this.#onCancel);
    this.#closing.removeEventListener("abort", this.#onClosing);
  }
}
