/**
 * The table of known models: prices, limits, retirement dates and successors. No other file names models. A model that
 * is missing here has no price: a price guessed from a similar name would make cost limits wrong.
 */
import type { Usage } from "./result.ts";

/** The default when nobody names a model. */
export const DEFAULT_MODEL = "claude-sonnet-5-5";

/** The day on which every row was checked against the provider's pages of models, prices and deprecations. */
export const MODELS_AS_OF = "2026-11-30";

/** US cents per million tokens. Writing to the five-minute cache costs 1.25 × the input price. */
interface Price {
  readonly input: number;
  readonly output: number;
  /** Price of a cached token as a share of the input price. */
  readonly read?: number;
  /** Calls with a prompt above this many tokens cost this many times as much, including the answer. */
  readonly long?: { readonly above: number; readonly times: number };
}

export interface ModelFacts {
  /** Null when no price is published. */
  readonly price: Price | null;
  /** Tokens of prompt and answer together. */
  readonly window: number;
  /** The model's maximum tokens per answer. */
  readonly output: number;
  /** The day from which the provider answers 404; null when none is announced. */
  readonly retires: string | null;
  /** The provider's recommended replacement; null for the newest model of a line. */
  readonly successor: string | null;
}

const price = (input: number, output: number, more: Omit<Price, "input" | "output"> = {}): Price => ({
  input,
  output,
  ...more,
});
const opus = price(500, 2_500);
const oldOpus = price(1_500, 7_500);
const sonnet = price(300, 1_500);
const fable = price(1_000, 5_000);

const LARGE = { window: 1_000_000, output: 128_000 };
const MEDIUM = { window: 200_000, output: 64_000 };
const small = (output: number) => ({ window: 200_000, output });

const newest = { retires: null, successor: null };
const before = (successor: string) => ({ retires: null, successor });
const until = (retires: string, successor: string) => ({ retires, successor });

/** Keys lack the date: `claude-opus-4-5` is also `claude-opus-4-5-20251101`. */
export const MODELS: Readonly<Record<string, ModelFacts>> = {
  "claude-fable-5-2": { price: price(800, 4_000, { read: 0.025 }), ...LARGE, ...newest },
  "claude-fable-5-1": { price: { ...fable, read: 0.025 }, ...LARGE, ...before("claude-fable-5-2") },
  "claude-fable-5": { price: fable, ...LARGE, ...before("claude-fable-5-2") },
  "claude-mythos-5-2": { price: null, ...LARGE, ...newest },
  "claude-mythos-5-1": { price: { ...fable, read: 0.025 }, ...LARGE, ...before("claude-mythos-5-2") },
  "claude-mythos-5": { price: fable, ...LARGE, ...before("claude-mythos-5-2") },
  "claude-mythos-preview": { price: null, ...LARGE, ...until("2026-06-30", "claude-mythos-5-2") },
  "claude-opus-5-5": { price: price(400, 2_000, { read: 0.05 }), ...LARGE, ...newest },
  "claude-opus-5": { price: opus, ...LARGE, ...before("claude-opus-5-5") },
  "claude-opus-4-8": { price: opus, ...LARGE, ...before("claude-opus-5-5") },
  "claude-opus-4-7": { price: opus, ...LARGE, ...before("claude-opus-5-5") },
  "claude-opus-4-6": { price: opus, ...LARGE, ...before("claude-opus-5-5") },
  "claude-opus-4-5": { price: opus, ...MEDIUM, ...until("2027-01-22", "claude-opus-5-5") },
  "claude-opus-4-1": { price: oldOpus, ...small(32_000), ...until("2026-08-05", "claude-opus-5-5") },
  "claude-opus-4": { price: oldOpus, ...small(32_000), ...until("2026-06-15", "claude-opus-5-5") },
  "claude-3-opus": { price: oldOpus, ...small(4_096), ...until("2026-01-05", "claude-opus-5-5") },
  "claude-sonnet-5-5": { price: price(200, 1_000, { read: 0.05 }), ...LARGE, ...newest },
  "claude-sonnet-5": { price: price(200, 1_000), ...LARGE, ...before("claude-sonnet-5-5") },
  "claude-sonnet-4-6": { price: sonnet, ...LARGE, ...before("claude-sonnet-5-5") },
  "claude-sonnet-4-5": { price: sonnet, ...MEDIUM, ...until("2026-11-30", "claude-sonnet-5-5") },
  "claude-sonnet-4": { price: sonnet, ...MEDIUM, ...until("2026-06-15", "claude-sonnet-5-5") },
  "claude-3-7-sonnet": { price: sonnet, ...MEDIUM, ...until("2026-02-19", "claude-sonnet-5-5") },
  "claude-3-5-sonnet": { price: sonnet, ...small(8_192), ...until("2025-10-28", "claude-sonnet-5-5") },
  "claude-3-sonnet": { price: sonnet, ...small(4_096), ...until("2025-07-21", "claude-sonnet-5-5") },
  "claude-haiku-5-5": { price: price(10, 50, { long: { above: 100_000, times: 5 } }), ...LARGE, ...newest },
  "claude-haiku-4-5": { price: price(100, 500), ...MEDIUM, ...before("claude-haiku-5-5") },
  "claude-3-5-haiku": { price: price(80, 400), ...small(8_192), ...until("2026-02-19", "claude-haiku-5-5") },
  "claude-3-haiku": { price: price(25, 125), ...small(4_096), ...until("2026-04-20", "claude-haiku-5-5") },
};

/** Suffixes of the same version: its date, `-0` for the first of a line, or `-latest`. */
const DATE = /(?:[-@]\d{8}|-0|-latest)$/;

export const withoutDate = (name: string): string => name.replace(DATE, "");

/** Null for an unknown model. */
export function findModel(name: string): ModelFacts | null {
  const found = Object.hasOwn(MODELS, name) ? name : withoutDate(name);
  return (Object.hasOwn(MODELS, found) && MODELS[found]) || null;
}

/** The model and all its successors, nearest first. */
export function lineageOf(name: string): readonly string[] {
  const lineage = new Set<string>();
  for (let model: string | null = name; model !== null && !lineage.has(model); ) {
    lineage.add(model);
    model = findModel(model)?.successor ?? null;
  }
  return [...lineage.add(DEFAULT_MODEL)];
}

const VERSION = /^claude-([a-z]+)-(\d{1,2})(?:-(\d))?$/;

const versionOf = (name: string): { readonly line: string; readonly number: number } | null => {
  const [, line, major, minor = "0"] = VERSION.exec(withoutDate(name)) ?? [];
  return line === undefined ? null : { line, number: Number(major) + Number(minor) / 10 };
};

/**
 * Whether a name looks like the next version of a known line. Models appear faster than this file is updated, so it may
 * exist; only its provider can tell.
 */
export function looksNewer(name: string): boolean {
  const asked = versionOf(name);
  if (asked === null) return false;
  const known = Object.keys(MODELS).flatMap((one) => versionOf(one) ?? []);
  const latest = Math.max(...known.filter(({ line }) => line === asked.line).map(({ number }) => number));
  return asked.number > latest && asked.number < Math.floor(latest) + 2;
}

/** The newest of each line, for messages that suggest a model. */
export const NEWEST_MODELS: readonly string[] = Object.entries(MODELS)
  .filter(([, { successor, price }]) => successor === null && price !== null)
  .map(([name]) => name);

const CACHE_WRITE = 1.25;
const CACHE_READ = 0.1;

/** Cents for one call, or null when the price is unknown. */
export function costCents(model: string, call: Omit<Usage, "turns">): number | null {
  const price = findModel(model)?.price ?? null;
  return price === null ? null : centsAt(price, call);
}

const PRICES = Object.values(MODELS).flatMap(({ price }) => price ?? []);
const most = (of: (one: Price) => number): number => Math.max(...PRICES.map(of));
const HIGHEST_PRICE = price(
  most(({ input, long }) => input * (long?.times ?? 1)),
  most(({ output, long }) => output * (long?.times ?? 1)),
  { read: most(({ read = CACHE_READ }) => read) },
);

/** A model without one cannot be held to a budget. */
export const hasPrice = (model: string): boolean => (findModel(model)?.price ?? null) !== null;

/** The highest price of all known models: an upper bound for a model without a price. */
export const highestCents = (call: Omit<Usage, "turns">): number => centsAt(HIGHEST_PRICE, call);

function centsAt(price: Price, call: Omit<Usage, "turns">): number {
  const prompt = call.input_tokens + call.cache_write_tokens + call.cache_read_tokens;
  const times = price.long !== undefined && prompt > price.long.above ? price.long.times : 1;
  const input =
    call.input_tokens + call.cache_write_tokens * CACHE_WRITE + call.cache_read_tokens * (price.read ?? CACHE_READ);
  return (times * (input * price.input + call.output_tokens * price.output)) / 1_000_000;
}
