/**
 * Parses the flags between `/job` and its task: `--model NAME`, `--no-merge`, `--draft`, `--again`, `--over-budget`,
 * `--market`, `--price DOLLARS`. A lone `--` ends them.
 */

import { DEFAULT_MODEL } from "../../contracts/models.ts";
import { PRICE_CENTS } from "../../domain/market/bounds.ts";
import { head } from "../../text/text.ts";
import { nearest } from "../../text/typo.ts";

export interface Flags {
  readonly model: string | null;
  readonly no_merge: boolean;
  readonly draft: boolean;
  /** Start another job where one is open. Missing unless so. */
  readonly again?: true;
  /** Beyond the repository's budget. Missing unless so. */
  readonly over_budget?: true;
  /** Offer it on the market at this price; null: run it in the repository's own Actions. */
  readonly market: { readonly price_cents: number } | null;
}

/** Flags as they are read one by one. */
interface ParsedFlags extends Omit<Flags, "market"> {
  readonly market: boolean;
  readonly price_cents: number | null;
}

export type FlagsRead =
  | {
      readonly ok: true;
      readonly flags: Flags;
      /** Whether any flag was given. */
      readonly given: boolean;
      /** A lone `--` was given: everything after it is the task. */
      readonly literal: boolean;
      readonly rest: string;
    }
  | { readonly ok: false; readonly sentence: string };

const NAMES = ["model", "no-merge", "draft", "again", "over-budget", "market", "price"] as const;
const MODEL_NAME = /^[\w.:/@-]{1,100}$/;
/** Dollars and cents. More decimals are an error, since amounts are not rounded. */
const DOLLARS = /^\$?(\d{1,6})(?:\.(\d{1,2}))?$/;

/** Spaces within a line: a flag stands on the command's line. */
const GAP = "[^\\S\\n]*";

/** Phones replace two dashes by one long dash. */
const FLAG = new RegExp(`^${GAP}(?:--|[\u2013\u2014])([a-z][^\\s=]*)(?:=(\\S*))?(?=\\s|$)`, "i");
const END_OF_FLAGS = new RegExp(`^${GAP}(?:--|[\u2013\u2014])(?=\\s|$)`);
const VALUE = new RegExp(`^${GAP}(\\S+)`);
const ONE_DASH = new RegExp(`^${GAP}-(${NAMES.join("|")})(?=[\\s=]|$)`, "i");
const AFTER_TASK = /\s--(?:no-merge|draft|again|over-budget|market|(?:model|price)(?:=\S*|[^\S\n]+\S+)?)$/i;
/** No command is called so, but people write it. */
const RUN = new RegExp(`^run\\s+--(?:${NAMES.join("|")})(?=[\\s=]|$)`, "i");
/** It reads what stands behind it itself. */
const RETRY = /^retry\s/i;

const ALL = "`--model NAME`, `--no-merge`, `--draft`, `--again`, `--over-budget`, `--market` and `--price DOLLARS`";

const mistake = (sentence: string): FlagsRead => ({ ok: false, sentence });

/** A foreign word, cleaned for use between backticks. */
const shown = (word: string): string => head(word.replace(/[^\w-]/g, ""), 40);

function unknown(name: string): string {
  const meant = nearest(name, NAMES);
  const guess = meant === null ? "" : ` Did you mean \`--${meant}\`?`;
  return `\`--${shown(name)}\` is not a flag of \`/job\`.${guess} The flags are ${ALL}. If the task itself begins with two dashes, put a lone \`--\` before it.`;
}

type Taken = { readonly given: ParsedFlags; readonly rest: string } | { readonly sentence: string };

/** The value of a flag, after `=` or after a space. */
function readValue(joined: string | undefined, rest: string): { readonly value: string; readonly rest: string } {
  const apart = joined === undefined ? VALUE.exec(rest) : null;
  return { value: joined ?? apart?.[1] ?? "", rest: rest.slice(apart?.[0].length ?? 0) };
}

const dollars = (cents: number): string => (cents / 100).toFixed(2);
const PRICE_SENTENCE =
  `\`--price\` needs an amount in US dollars, from ${dollars(PRICE_CENTS.least)} to ${dollars(PRICE_CENTS.most)}, ` +
  "e.g. `/job --market --price 5.00 fix the login`.";

/** Null: it is no amount of dollars. */
export function centsOfDollars(value: string): number | null {
  const [, whole, part = ""] = DOLLARS.exec(value) ?? [];
  return whole === undefined ? null : Number(whole) * 100 + Number(part.padEnd(2, "0"));
}

function priceOf(value: string): number | null {
  const cents = centsOfDollars(value);
  return cents === null || cents < PRICE_CENTS.least || cents > PRICE_CENTS.most ? null : cents;
}

function take(name: string, joined: string | undefined, given: ParsedFlags, after: string): Taken {
  const flag = name.toLowerCase();
  switch (flag) {
    case "draft":
    case "no-merge":
    case "again":
    case "over-budget":
    case "market":
      if (joined !== undefined) return { sentence: `\`--${flag}\` takes no value: remove the \`=\` and what follows.` };
      return { given: { ...given, [flag.replace("-", "_")]: true }, rest: after };
    case "model": {
      const { value, rest } = readValue(joined, after);
      if (MODEL_NAME.test(value) && !value.startsWith("-")) return { given: { ...given, model: value }, rest };
      return {
        sentence: `\`--model\` needs the name of a model, e.g. \`/job --model ${DEFAULT_MODEL} fix the login\`.`,
      };
    }
    case "price": {
      const { value, rest } = readValue(joined, after);
      const price_cents = priceOf(value);
      return price_cents === null ? { sentence: PRICE_SENTENCE } : { given: { ...given, price_cents }, rest };
    }
    default:
      return { sentence: unknown(name) };
  }
}

const NEEDS_PRICE =
  "A market job needs a price, which is paid from your wallet: `/job --market --price 5.00 fix the login`.";
const NEEDS_MARKET =
  "Only market jobs have a price: `/job --market --price 5.00 fix the login`. Without `--market` the job runs in this repository's own Actions.";
const NO_MODEL = "`--model` and `--market` cannot be combined: the agent that takes the job chooses its own model.";

/** Combines the flags if they are compatible. */
function combineFlags({ market, price_cents, ...flags }: ParsedFlags): Flags | string {
  if (!market) return price_cents === null ? { ...flags, market: null } : NEEDS_MARKET;
  if (price_cents === null) return NEEDS_PRICE;
  return flags.model === null ? { ...flags, market: { price_cents } } : NO_MODEL;
}

/** What is wrong with flags in the rest of the line; null when nothing is. */
function flagMistake(rest: string): string | null {
  const single = ONE_DASH.exec(rest);
  if (single !== null) return `Did you mean \`--${single[1]?.toLowerCase()}\`, with two dashes?`;
  // A flag after the task would silently become part of it, and `--no-merge` must not be lost.
  const line = (rest.split("\n", 1)[0] ?? "").trim();
  if (RUN.test(line))
    return "Leave out `run`: `/job --no-merge fix the login`. If it is part of the task, put a lone `--` before it.";
  if (AFTER_TASK.test(line) && !RETRY.test(line))
    return "Put flags before the task: `/job --no-merge fix the login`. If the task is about such a flag, put it in backticks.";
  return null;
}

export function readFlags(text: string): FlagsRead {
  let read: ParsedFlags = { model: null, no_merge: false, draft: false, market: false, price_cents: null };
  let rest = text;
  let given = false;
  for (let match = FLAG.exec(rest); match !== null; match = FLAG.exec(rest)) {
    const [whole, name = "", joined] = match;
    const taken = take(name, joined, read, rest.slice(whole.length));
    if ("sentence" in taken) return mistake(taken.sentence);
    ({ given: read, rest } = taken);
    given = true;
  }
  const ended = END_OF_FLAGS.exec(rest);
  const wrong = ended === null ? flagMistake(rest) : null;
  if (wrong !== null) return mistake(wrong);
  const flags = combineFlags(read);
  if (typeof flags === "string") return mistake(flags);
  return { ok: true, flags, given, literal: ended !== null, rest: rest.slice(ended?.[0].length ?? 0) };
}
