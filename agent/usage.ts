/** Counts what the run has used. Every answer is counted, usable or not, since every answer is charged. */
import type { Message } from "@anthropic-ai/sdk/resources/messages";
import { NO_USAGE, type Usage } from "../src/wire/result.ts";

export class Tally {
  #usage: Usage = NO_USAGE;
  /** Tokens that the next call sends again: all of the last call and its answer. */
  #known = 0;

  get usage(): Usage {
    return this.#usage;
  }

  get known(): number {
    return this.#known;
  }

  add(used: Message["usage"]): void {
    const read = used.cache_read_input_tokens ?? 0;
    const written = used.cache_creation_input_tokens ?? 0;
    this.#known = used.input_tokens + read + written + used.output_tokens;
    this.#usage = {
      turns: this.#usage.turns + 1,
      input_tokens: this.#usage.input_tokens + used.input_tokens,
      output_tokens: this.#usage.output_tokens + used.output_tokens,
      cache_read_tokens: this.#usage.cache_read_tokens + read,
      cache_write_tokens: this.#usage.cache_write_tokens + written,
    };
  }
}
