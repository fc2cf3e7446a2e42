/**
 * The run's log: `.jobs/{id}/log.jsonl`, line by line while it runs, and the same as plain progress on stdout.
 * Every text is redacted before it is kept. It must not speak workflow commands, whatever the model says.
 */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type LogLine, MAX_LOG_LINES, MAX_LOG_TEXT } from "../../src/wire/log-line.ts";

export interface LogSetup {
  readonly path: string;
  readonly redact: (text: string) => string;
  readonly now: () => Date;
  readonly print: (line: string) => void;
}

export class Log {
  readonly #setup: LogSetup;
  readonly #lines: LogLine[] = [];
  #dropped = 0;

  constructor(setup: LogSetup) {
    this.#setup = setup;
    mkdirSync(dirname(setup.path), { recursive: true });
    writeFileSync(setup.path, "");
  }

  info(text: string): void {
    this.#add("info", text);
  }

  warn(text: string): void {
    this.#add("warn", text);
  }

  error(text: string): void {
    this.#add("error", text);
  }

  /** Writes the file anew from memory: a command of the model may have removed or rewritten it. */
  close(): void {
    if (this.#dropped > 0) this.#lines.push(this.#line("warn", `${this.#dropped} further lines were left out.`));
    mkdirSync(dirname(this.#setup.path), { recursive: true });
    const temporary = `${this.#setup.path}.new`;
    writeFileSync(temporary, this.#lines.map(serialise).join(""));
    renameSync(temporary, this.#setup.path);
  }

  #add(level: LogLine["level"], text: string): void {
    const line = this.#line(level, text);
    for (const row of line.text.split("\n")) this.#setup.print(harmless(row));
    // One line is kept free for the word about what was left out.
    if (this.#lines.length >= MAX_LOG_LINES - 1) {
      this.#dropped += 1;
      return;
    }
    this.#lines.push(line);
    try {
      appendFileSync(this.#setup.path, serialise(line));
    } catch {
      // close() writes it all again; a log that cannot be followed must not end the work
    }
  }

  #line(level: LogLine["level"], text: string): LogLine {
    const clean = this.#setup.redact(text).slice(0, MAX_LOG_TEXT);
    return { seq: this.#lines.length + 1, at: this.#setup.now().toISOString(), level, text: clean };
  }
}

const serialise = (line: LogLine): string => `${JSON.stringify(line)}\n`;

/** `::name::` at the start of a line and `##[name]` anywhere are commands to the runner. */
function harmless(row: string): string {
  const broken = row.replaceAll("##[", "## [").replaceAll("\r", " ");
  return /^\s*::/.test(broken) ? `> ${broken}` : broken;
}
