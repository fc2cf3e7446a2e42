/**
 * What models cost, as the provider's price page said on {@link PRICES_AS_OF}. A model that is not here has no price:
 * a guess from a similar name would bind, or fail to bind, a budget by a number that nobody published.
 */
import type { Usage } from "./result.ts";

/** The day on which every row below was true. */
export const PRICES_AS_OF = "2026-10-24";

/** US cents per million tokens. Cache writes (five minutes) cost 1.25 × the input price. */
interface Price {
  readonly input: number;
  readonly output: number;
  /** Of the input price, what a token costs that the cache knew. */
  readonly read?: number;
  /** Calls whose prompt is longer than this many tokens pay so many times as much, the answer included. */
  readonly long?: { readonly above: number; readonly times: number };
}

const opus = { input: 500, output: 2_500 };
const oldOpus = { input: 1_500, output: 7_500 };
const sonnet = { input: 300, output: 1_500 };
const fable = { input: 1_000, output: 5_000 };

/** By name without its date: `claude-sonnet-4` is also `claude-sonnet-4-20250514`. */
const PRICES: Readonly<Record<string, Price>> = {
  "claude-fable-5-1": { ...fable, read: 0.025 },
  "claude-mythos-5-1": { ...fable, read: 0.025 },
  "claude-fable-5": fable,
  "claude-mythos-5": fable,
  "claude-opus-5-5": { input: 400, output: 2_000, read: 0.05 },
  "claude-opus-5": opus,
  "claude-opus-4-8": opus,
  "claude-opus-4-7": opus,
  "claude-opus-4-6": opus,
  "claude-opus-4-5": opus,
  "claude-opus-4-1": oldOpus,
  "claude-opus-4": oldOpus,
  "claude-sonnet-5-5": { input: 200, output: 1_000, read: 0.05 },
  "claude-sonnet-5": { input: 200, output: 1_000 },
  "claude-sonnet-4-6": sonnet,
  "claude-sonnet-4-5": sonnet,
  "claude-sonnet-4": sonnet,
  "claude-3-7-sonnet": sonnet,
  "claude-haiku-5-5": { input: 10, output: 50, long: { above: 100_000, times: 5 } },
  "claude-haiku-4-5": { input: 100, output: 500 },
  "claude-3-5-haiku": { input: 80, output: 400 },
};

const CACHE_WRITE = 1.25;
const CACHE_READ = 0.1;

/** The spellings of one version: with its date, `-0` for the first of a line, or `-latest`. */
const DATE = /(?:[-@]\d{8}|-0|-latest)$/;

/** Cents for one call, or null when the model's price is not known. */
export function costCents(model: string, call: Omit<Usage, "turns">): number | null {
  const price = PRICES[model] ?? PRICES[model.replace(DATE, "")];
  if (price === undefined) return null;
  const prompt = call.input_tokens + call.cache_write_tokens + call.cache_read_tokens;
  const times = price.long !== undefined && prompt > price.long.above ? price.long.times : 1;
  const input =
    call.input_tokens + call.cache_write_tokens * CACHE_WRITE + call.cache_read_tokens * (price.read ?? CACHE_READ);
  return (times * (input * price.input + call.output_tokens * price.output)) / 1_000_000;
}
