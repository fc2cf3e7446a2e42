/**
 * Queues log lines for the App and tracks which ones arrived. Sent lines are kept, since a restarted App may ask for
 * them again; a log has at most MAX_LOG_LINES lines.
 */
import { type LogLine, MAX_LOG_LINES } from "../../../src/contracts/log-line.ts";
import { MAX_REPORTED_LINES } from "../../../src/contracts/run-report.ts";

/** Characters of one batch as JSON; 200 long lines would exceed the server's body limit. */
const BATCH_LIMIT = 256 * 1024;

export class Outbox {
  readonly #lines: LogLine[] = [];
  #received = 0;
  #notify: () => void = () => {};

  /** Drops lines that do not count up and lines beyond the log's limit. */
  add(line: LogLine): void {
    if (line.seq <= (this.#lines.at(-1)?.seq ?? 0) || this.#lines.length >= MAX_LOG_LINES) return;
    this.#lines.push(line);
    this.#notify();
  }

  /** The number of the last line that the App has. */
  get received(): number {
    return this.#received;
  }

  get isEmpty(): boolean {
    return (this.#lines.at(-1)?.seq ?? 0) <= this.#received;
  }

  /** The next lines to send, as many as fit in one request. */
  batch(): LogLine[] {
    const first = this.#lines.findIndex((line) => line.seq > this.#received);
    const lines: LogLine[] = [];
    let size = 0;
    for (const line of first < 0 ? [] : this.#lines.slice(first, first + MAX_REPORTED_LINES)) {
      size += JSON.stringify(line).length;
      if (lines.length > 0 && size > BATCH_LIMIT) break;
      lines.push(line);
    }
    return lines;
  }

  /** Records that the App has all lines up to this one. The number can go down when the App has lost some. */
  acknowledge(received: number): void {
    this.#received = received;
  }

  /** Resolves when there are lines to send, or when `ended` is aborted. */
  filled(ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.isEmpty && !ended.aborted) return;
        ended.removeEventListener("abort", look);
        this.#notify = () => {};
        resolve();
      };
      this.#notify = look;
      ended.addEventListener("abort", look);
      look();
    });
  }
}
