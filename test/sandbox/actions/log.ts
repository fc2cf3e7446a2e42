/**
 * Writes the log of a workflow job: time stamps, masking and size limit. Every line goes through here, so that no
 * secret bypasses the masking.
 */

/** GitHub keeps far more; beyond this a local log only uses memory. */
const LOG_LIMIT = 4 * 1024 * 1024;
const LINE_LIMIT = 64 * 1024;

export class Masks {
  /** Longest first, so that a secret containing another one leaves no rest. */
  #values: string[] = [];

  /** A secret of several lines is also masked line by line, since logs show single lines. */
  add(secret: string): void {
    const more = [secret, ...secret.split(/\r?\n/)].filter((value) => value.trim() !== "");
    this.#values = [...new Set([...this.#values, ...more])].sort((a, b) => b.length - a.length);
  }

  apply(text: string): string {
    return this.#values.reduce((masked, value) => masked.replaceAll(value, "***"), text);
  }

  touches(text: string): boolean {
    return this.apply(text) !== text;
  }
}

export class JobLog {
  readonly masks = new Masks();
  readonly #append: (text: string) => void;
  readonly #now: () => number;
  #left = LOG_LIMIT;

  constructor(append: (text: string) => void, now: () => number) {
    this.#append = append;
    this.#now = now;
  }

  line(text: string): void {
    if (this.#left <= 0) return;
    const stamp = new Date(this.#now()).toISOString();
    const written = text.split(/\r?\n/).map((one) => `${stamp} ${this.masks.apply(one).slice(0, LINE_LIMIT)}\n`);
    const whole = written.join("");
    this.#left -= whole.length;
    this.#append(
      this.#left > 0 ? whole : `${stamp} ##[warning]The log is cut here: it passed ${LOG_LIMIT} characters.\n`,
    );
  }

  error(text: string): void {
    this.line(`##[error]${text}`);
  }

  warning(text: string): void {
    this.line(`##[warning]${text}`);
  }
}
