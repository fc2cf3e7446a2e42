/**
 * The lines that the App shall have, and which of them it has. It keeps those that were sent as well, since an App that
 * was restarted may ask for them again; a log has at most MAX_LOG_LINES of them.
 */
import { type LogLine, MAX_LOG_LINES } from "../../../src/contracts/log-line.ts";
import { MAX_REPORTED_LINES } from "../../../src/contracts/run-report.ts";

/** Characters of one batch as JSON: 200 long lines would be more than a server takes at once. */
const BATCH_LIMIT = 256 * 1024;

export class Outbox {
  readonly #lines: LogLine[] = [];
  #received = 0;
  #told: () => void = () => {};

  /** Lines count up; one that does not, and whatever is beyond the log's limit, is not kept. */
  add(line: LogLine): void {
    if (line.seq <= (this.#lines.at(-1)?.seq ?? 0) || this.#lines.length >= MAX_LOG_LINES) return;
    this.#lines.push(line);
    this.#told();
  }

  /** Up to where the App has them. */
  get received(): number {
    return this.#received;
  }

  get isEmpty(): boolean {
    return (this.#lines.at(-1)?.seq ?? 0) <= this.#received;
  }

  /** What is to be sent next, as much as one request holds. */
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

  /** The App has all lines up to this one; fewer than before when it has forgotten some. */
  acknowledge(received: number): void {
    this.#received = received;
  }

  /** Resolves once there is something to send, or the signal says that nothing more will come. */
  filled(ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.isEmpty && !ended.aborted) return;
        ended.removeEventListener("abort", look);
        this.#told = () => {};
        resolve();
      };
      this.#told = look;
      ended.addEventListener("abort", look);
      look();
    });
  }
}
