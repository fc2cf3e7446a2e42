/**
 * Cancels a run on a signal, the time limit or a crash. The first reason counts; calls and commands in progress are
 * aborted through `signal`.
 */
import type { Stop } from "./stop-reasons.ts";

export class Cancellation {
  readonly #controller = new AbortController();
  #stop: Stop | null = null;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stop(): Stop | null {
    return this.#stop;
  }

  interrupt(stop: Stop): void {
    if (this.#stop !== null) return;
    this.#stop = stop;
    this.#controller.abort();
  }
}
