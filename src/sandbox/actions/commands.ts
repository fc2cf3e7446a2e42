/**
 * Owns workflow commands in a step's output (`::error::`, `::add-mask::`, `::stop-commands::` …). One per step.
 */
import type { JobLog } from "./log.ts";

/** Any word may be a stop token, so names are not limited to the known commands. */
const COMMAND = /^\s*::([\w.-]+)(\s[^:]*(?::[^:]+)*)?::(.*)$/;

const decode = (text: string): string => text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");

export class CommandReader {
  readonly #log: JobLog;
  #stopToken: string | undefined;

  constructor(log: JobLog) {
    this.#log = log;
  }

  /** Takes one line of a step's output and writes to the log what GitHub would show of it. */
  read(line: string): void {
    const shown = this.#obey(line);
    if (shown !== undefined) this.#log.line(shown);
  }

  #obey(line: string): string | undefined {
    const match = COMMAND.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined) return line;
    if (this.#stopToken !== undefined) {
      if (name === this.#stopToken) this.#stopToken = undefined;
      return line;
    }
    const value = decode(match?.[3] ?? "");
    switch (name) {
      case "add-mask":
        this.#log.masks.add(value);
        return "::add-mask::***";
      case "stop-commands":
        this.#stopToken = value.toLowerCase();
        return line;
      case "error":
      case "warning":
      case "notice":
      case "group":
        return `##[${name}]${value}`;
      case "endgroup":
        return "##[endgroup]";
      case "debug":
      case "echo":
      case "add-matcher":
      case "remove-matcher":
        return undefined;
      case "set-env":
      case "add-path":
      case "set-output":
      case "save-state":
        return `##[error]The command "${name}" is disabled; write to the file that GitHub provides instead.`;
      default:
        return line;
    }
  }
}
