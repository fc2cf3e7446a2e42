/** What models cost: US cents per million tokens, as published on 2025-10-01. A model that is not here has no price. */
import type { Usage } from "./result.ts";

interface Price {
  readonly input: number;
  readonly output: number;
}

/** By prefix of the model's name, longest first wins. Cache writes cost 1.25 × and reads 0.1 × the input price. */
const PRICES: Readonly<Record<string, Price>> = {
  "claude-opus-4": { input: 1_500, output: 7_500 },
  "claude-sonnet-4": { input: 300, output: 1_500 },
  "claude-haiku-4-5": { input: 100, output: 500 },
  "claude-3-7-sonnet": { input: 300, output: 1_500 },
  "claude-3-5-sonnet": { input: 300, output: 1_500 },
  "claude-3-5-haiku": { input: 80, output: 400 },
};

const CACHE_WRITE = 1.25;
const CACHE_READ = 0.1;

/** Cents for this usage, or null when the model's price is not known. */
export function costCents(model: string, usage: Usage): number | null {
  const name = Object.keys(PRICES)
    .filter((prefix) => model.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
  const price = name === undefined ? undefined : PRICES[name];
  if (!price) return null;
  const input = usage.input_tokens + usage.cache_write_tokens * CACHE_WRITE + usage.cache_read_tokens * CACHE_READ;
  return (input * price.input + usage.output_tokens * price.output) / 1_000_000;
}
