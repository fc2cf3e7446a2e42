/**
 * Reads the token usage of an answer, from its JSON or from its event stream as it passes. Missing counts are replaced
 * by the most that they can be, so the result is never below the true usage.
 */
import * as z from "zod";
import type { Bound, CallUsage } from "./budget.ts";

/** Events with usage are short; a longer line is part of the answer's text. */
const MAX_LINE = 256 * 1024;

const count = z.number().nonnegative().nullish();
const usageSchema = z.looseObject({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
});
type ReportedUsage = z.infer<typeof usageSchema>;

const messageSchema = z.looseObject({ usage: usageSchema });

const eventSchema = z.union([
  z.looseObject({ type: z.literal("message_start"), message: z.looseObject({ usage: usageSchema.nullish() }) }),
  z.looseObject({ type: z.literal("message_delta"), usage: usageSchema.nullish() }),
  z.looseObject({ type: z.enum(["message_stop", "error"]) }),
]);

/** Assumes that the whole input is written to the cache, as the reservation does. */
export const mostOf = ({ input, output }: Bound): CallUsage => ({
  input_tokens: 0,
  output_tokens: output,
  cache_read_tokens: 0,
  cache_write_tokens: input,
});

function usageOf(reported: ReportedUsage, bound: Bound): CallUsage {
  const most = mostOf(bound);
  const output_tokens = reported.output_tokens ?? most.output_tokens;
  if (typeof reported.input_tokens !== "number") return { ...most, output_tokens };
  return {
    input_tokens: reported.input_tokens,
    output_tokens,
    cache_read_tokens: reported.cache_read_input_tokens ?? 0,
    cache_write_tokens: reported.cache_creation_input_tokens ?? 0,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** For an answer that is not streamed. */
export function usageOfMessage(body: string, bound: Bound): CallUsage {
  const read = messageSchema.safeParse(parsed(body));
  return usageOf(read.success ? read.data.usage : {}, bound);
}

const FIELDS = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"] as const;

/** Counts are cumulative, so the larger one is the later. */
const larger = (one: ReportedUsage, other: ReportedUsage): ReportedUsage =>
  Object.fromEntries(
    FIELDS.flatMap((name) => {
      const known = [one[name], other[name]].filter((value) => typeof value === "number");
      return known.length === 0 ? [] : [[name, Math.max(...known)]];
    }),
  );

/** Reads usage from an event stream. */
export class StreamedUsage {
  readonly #bound: Bound;
  readonly #decoder = new TextDecoder();
  #line = "";
  #tooLong = false;
  #reported: ReportedUsage | null = null;
  /** The final count has arrived. */
  #counted = false;
  #refused = false;
  #whole = false;

  constructor(bound: Bound) {
    this.#bound = bound;
  }

  /** The answer is complete. */
  get whole(): boolean {
    return this.#whole;
  }

  /** The usage so far; null when the provider refused before it began, which is free. */
  get usage(): CallUsage | null {
    if (this.#reported === null) return this.#refused ? null : mostOf(this.#bound);
    // The count at the start of a stream says nothing about the answer's length.
    return usageOf(this.#counted ? this.#reported : { ...this.#reported, output_tokens: null }, this.#bound);
  }

  push(chunk: Uint8Array): void {
    const lines = this.#decoder.decode(chunk, { stream: true }).split(/\r\n|\r|\n/);
    for (const [index, part] of lines.entries()) {
      if (index > 0) this.#endLine();
      this.#tooLong ||= this.#line.length + part.length > MAX_LINE;
      this.#line = this.#tooLong ? "" : this.#line + part;
    }
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = "";
    this.#tooLong = false;
    if (!line.startsWith("data:")) return;
    const event = eventSchema.safeParse(parsed(line.slice("data:".length))).data;
    if (event !== undefined) this.#take(event);
  }

  #take(event: z.infer<typeof eventSchema>): void {
    switch (event.type) {
      case "message_start":
        this.#reported = larger(this.#reported ?? {}, event.message.usage ?? {});
        break;
      case "message_delta":
        if (this.#reported === null || typeof event.usage?.output_tokens !== "number") break;
        this.#reported = larger(this.#reported, event.usage);
        this.#counted = true;
        break;
      case "message_stop":
        this.#whole = true;
        break;
      case "error":
        this.#refused = this.#reported === null;
        break;
      default:
        event satisfies never;
    }
  }
}
