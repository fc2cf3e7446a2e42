/**
 * The step's output, and the only place that writes it. GitHub's runner obeys `::command::` at the start of a line and
 * `##[command]` anywhere in one, and the problem matchers that earlier steps registered turn lines into annotations. So
 * commands are stopped first thing, by a token that nobody can guess, and count again only within one write of our own.
 * Every other row is data: it is printed so that it is neither a command nor a match.
 */
import { head } from "../../src/text/text.ts";

/** What the runner would take for the end of a line, or a terminal for an order. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;
/** A place in a file, which every problem matcher looks for: `a.ts:1:2`, `a.ts:1: `, `a.ts(1,2)`, `a.ts(1)`, `line 3`. */
const PLACE = /(?:(?<=\d)[:,]|:(?=\d+:)|\((?=\d+[,)])|\bline\s+)(?=\d)/g;
/** Nothing to see, but neither a digit nor a blank to a regular expression. */
const WORD_JOINER = "\u2060";
/** Characters of a row; a longer one is cut. */
const LONGEST_ROW = 16 * 1024;

export type Level = "notice" | "warning" | "error";

const commandData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

/** A row that the runner only shows. */
export function shownRow(row: string): string {
  const plain = head(row, LONGEST_ROW)
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

  /** Stops commands at once; `secrets` are masked before, since masks do not count while commands are stopped. */
  constructor(write: (text: string) => void, draw: () => string, secrets: readonly string[]) {
    this.#write = write;
    this.#draw = draw;
    this.#token = draw();
    this.#write(`${masks(secrets)}::stop-commands::${this.#token}\n`);
  }

  /** Shows foreign or own text, row by row. */
  show(text: string): void {
    const rows = text.split("\n").map(shownRow);
    this.#write(`${rows.join("\n")}\n`);
  }

  /** An annotation in words of ours: nothing that the agent, a file or another server chose may stand in it. */
  annotate(level: Level, sentence: string): void {
    this.#command(`::${level}::${commandData(sentence)}\n`);
  }

  mask(secret: string): void {
    this.#command(masks([secret]));
  }

  /** Commands count between these two lines, and nobody else writes there. */
  #command(line: string): void {
    const ended = this.#token;
    this.#token = this.#draw();
    this.#write(`::${ended}::\n${line}::stop-commands::${this.#token}\n`);
  }
}

/** The runner takes a value of one line; each line of a longer one is masked by itself. */
const masks = (secrets: readonly string[]): string =>
  secrets
    .flatMap((secret) => secret.split(/[\r\n]+/))
    .filter((line) => line.trim() !== "")
    .map((line) => `::add-mask::${commandData(line)}\n`)
    .join("");
