/**
 * The run's log: appended to `.jobs/{id}/log.jsonl` line by line, and printed on stdout as plain progress or as JSON
 * for the log uploader. Every text is redacted first.
 */
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type LogLine, MAX_LOG_LINES, MAX_LOG_TEXT } from "../../src/contracts/log-line.ts";
import { head } from "../../src/text/text.ts";
import { plainRows } from "./plain-rows.ts";

export interface LogSetup {
  readonly path: string;
  readonly redact: (text: string) => string;
  readonly now: () => Date;
  readonly print: (row: string) => void;
  readonly format: "plain" | "json";
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

  /** Rewrites the file from memory: a command of the model may have removed or changed it. */
  close(): void {
    if (this.#dropped > 0) {
      const last = this.#line("warn", `${this.#dropped} further lines were omitted.`);
      this.#show(last);
      this.#lines.push(last);
    }
    const temporary = `${this.#setup.path}.new`;
    try {
      mkdirSync(dirname(this.#setup.path), { recursive: true });
      writeFileSync(temporary, this.#lines.map(serialise).join(""));
      renameSync(temporary, this.#setup.path);
    } catch {
      // On a full disk the log is given up: it was shown line by line, and the result matters more.
      rmSync(temporary, { force: true });
    }
  }

  #add(level: LogLine["level"], text: string): void {
    const line = this.#line(level, text);
    // Keeps one line free for the note about omitted lines.
    if (this.#lines.length >= MAX_LOG_LINES - 1) {
      this.#dropped += 1;
      for (const row of plainRows(line.text)) this.#setup.print(row);
      return;
    }
    this.#show(line);
    this.#lines.push(line);
    try {
      appendFileSync(this.#setup.path, serialise(line));
    } catch {
      // close() writes the whole log again; a failed append must not end the work.
    }
  }

  #show(line: LogLine): void {
    const rows = this.#setup.format === "json" ? [JSON.stringify(line)] : plainRows(line.text);
    for (const row of rows) this.#setup.print(row);
  }

  #line(level: LogLine["level"], text: string): LogLine {
    const clean = head(this.#setup.redact(text), MAX_LOG_TEXT);
    return { seq: this.#lines.length + 1, at: this.#setup.now().toISOString(), level, text: clean };
  }
}

const serialise = (line: LogLine): string => `${JSON.stringify(line)}\n`;
