/**
 * Reads the limits behind `/job retry`: `--limit DOLLARS`, `--minutes N`, `--turns N`, `--over-budget`. They stand after the verb, since they
 * say nothing of a task.
 */
import { repositorySettingsSchema } from "../../contracts/settings.ts";
import type { RaisedLimits } from "../../domain/job/job.ts";
import { head } from "../../text/text.ts";
import { centsOfDollars } from "./flags.ts";

export interface RetryAsked {
  readonly raised?: RaisedLimits;
  readonly over_budget?: true;
}

export type RetryRead =
  /** `line`: what is left of it. */
  | { readonly ok: true; readonly line: string; readonly asked: RetryAsked }
  | { readonly ok: false; readonly sentence: string };

const { limits } = repositorySettingsSchema.shape;
const bounds = limits.unwrap().shape;

const SENTENCE =
  "`/job retry` takes `--limit DOLLARS` up to 1000, `--minutes N` up to 350, `--turns N` up to 500 and `--over-budget`, e.g. " +
  "`/job retry --limit 10.00`. Nothing was changed.";

/** Phones replace two dashes by one long dash. */
const DASHES = ["--", "\u2013", "\u2014"] as const;

const flagOf = (word: string): string | null => {
  const dash = DASHES.find((one) => word.startsWith(one));
  return dash === undefined || word.length === dash.length ? null : word.slice(dash.length).toLowerCase();
};

/** More digits than a limit has are no number here. */
const numberOf = (value: string): number | null => (/^\d{1,4}$/.test(value) ? Number(value) : null);

function limitOf(name: string, value: string): RaisedLimits | null {
  switch (name) {
    case "limit": {
      const cents = bounds.cost_cents.safeParse(centsOfDollars(value));
      return cents.success ? { cost_cents: cents.data } : null;
    }
    case "minutes": {
      const minutes = bounds.minutes.safeParse(numberOf(value));
      return minutes.success ? { minutes: minutes.data } : null;
    }
    case "turns": {
      const turns = bounds.turns.safeParse(numberOf(value));
      return turns.success ? { turns: turns.data } : null;
    }
    default:
      return null;
  }
}

/** The longest line that is looked at. */
const MAX_LINE = 300;

/** `line`: a command's own. Null: it is no retry with limits. */
export function readRetryLimits(line: string): RetryRead | null {
  const words = head(line, MAX_LINE)
    .split(/\s/)
    .filter((word) => word !== "");
  const first = words.findIndex((word) => flagOf(word) !== null);
  if (first < 1 || words[0]?.toLowerCase() !== "retry") return null;
  let raised: RaisedLimits = {};
  let over_budget = false;
  for (let at = first; at < words.length; at++) {
    const [name = "", joined] = (flagOf(words[at] ?? "") ?? "").split("=", 2);
    if (name === "over-budget" && joined === undefined) {
      over_budget = true;
      continue;
    }
    const value = joined ?? words[++at] ?? "";
    const read = limitOf(name, value);
    if (read === null) return { ok: false, sentence: SENTENCE };
    raised = { ...raised, ...read };
  }
  const asked: RetryAsked = {
    ...(Object.keys(raised).length === 0 ? {} : { raised }),
    ...(over_budget ? { over_budget } : {}),
  };
  return { ok: true, line: words.slice(0, first).join(" "), asked };
}
