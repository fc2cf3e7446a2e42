/**
 * Writes the step's output; no other file does. GitHub's runner obeys `::command::` at the start of a line and
 * `##[command]` anywhere in one, and problem matchers of earlier steps turn lines into annotations. So commands are
 * stopped first, with a token that cannot be guessed, and resumed only for single writes of this class. Every other row
 * is printed so that it is neither a command nor a match.
 */
import { head } from "../../src/text/text.ts";

/** Characters that the runner reads as a line end, or a terminal as a control sequence. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;
/**
 * A location in a file, which every problem matcher looks for: `a.ts:1:2`, `a.ts:1: `, `a.ts(1,2)`, `a.ts(1)`, `line
 * 3`.
 */
const PLACE = /(?:(?<=\d)[:,]|:(?=\d+:)|\((?=\d+[,)])|\bline\s+)(?=\d)/g;
/** Invisible, and neither a digit nor a blank to a regular expression. */
const WORD_JOINER = "\u2060";
/** Longest row in characters; a longer one is cut. */
const MAX_ROW = 16 * 1024;

export type Level = "notice" | "warning" | "error";

const commandData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

/** Makes a row inert for the runner. */
export function inertRow(row: string): string {
  const plain = head(row, MAX_ROW)
    .replaceAll("\t", "  ")
    .replace(CONTROL, " ")
    .replaceAll("##[", "## [")
    .replace(PLACE, `$&${WORD_JOINER}`);
  return /^\s*::/.test(plain) ? `> ${plain}` : plain;
}

export class Output {
  readonly #write: (text: string) => void;
  readonly #draw: () => string;
  #token: string;

  /**
   * Stops commands at once. `secrets` are masked before that, since masks have no effect while commands are stopped.
   */
  constructor(write: (text: string) => void, draw: () => string, secrets: readonly string[]) {
    this.#write = write;
    this.#draw = draw;
    this.#token = draw();
    this.#write(`${masks(secrets)}::stop-commands::${this.#token}\n`);
  }

  /** Prints any text, row by row. */
  show(text: string): void {
    const rows = text.split("\n").map(inertRow);
    this.#write(`${rows.join("\n")}\n`);
  }

  /** Adds an annotation. The sentence must be our own: no text from the agent, a file or another server. */
  annotate(level: Level, sentence: string): void {
    this.#command(`::${level}::${commandData(sentence)}\n`);
  }

  mask(secret: string): void {
    this.#command(masks([secret]));
  }

  /** Resumes commands for exactly one line. */
  #command(line: string): void {
    const ended = this.#token;
    this.#token = this.#draw();
    this.#write(`::${ended}::\n${line}::stop-commands::${this.#token}\n`);
  }
}

/** The runner masks single lines, so each line of a longer value is masked. */
const masks = (secrets: readonly string[]): string =>
  secrets
    .flatMap((secret) => secret.split(/[\r\n]+/))
    .filter((line) => line.trim() !== "")
    .map((line) => `::add-mask::${commandData(line)}\n`)
    .join("");
