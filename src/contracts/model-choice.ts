/**
 * Chooses the model: replaces a retired model by its successor, caps the answer limit at what the model supports, and
 * refuses unknown names. Describes each change in a sentence for users. Pure; date and the provider's model list are
 * parameters.
 */

import { head } from "../text/text.ts";
import { findListed, type ListedModel } from "./model-list.ts";
import { DEFAULT_MODEL, findModel, lineageOf, looksNewer, NEWEST_MODELS } from "./models.ts";

/** A provider with its own model names at `ANTHROPIC_BASE_URL` that speaks Anthropic's API. */
export const COMPATIBLE = "anthropic-compatible";

/** Enough to write a file of 100 kB. Not more, since a call's maximum cost includes all of it. */
const ANSWER_TOKENS = 32_000;
/** For a model with unknown limits: what most local models support. */
const UNKNOWN_ANSWER_TOKENS = 8_192;

export interface RequestedModel {
  readonly provider: string;
  readonly model: string;
  /** Tokens per answer; null: as many as the model allows. */
  readonly max_tokens: number | null;
  /** The provider's address serves models with their own names and retirement dates. */
  readonly own_models?: boolean;
}

export interface ModelChoice {
  readonly model: string;
  readonly max_tokens: number;
  /** Tokens of prompt and answer together; null when unknown. */
  readonly window: number | null;
  readonly notes: readonly string[];
}

export type Chosen =
  | { readonly ok: true; readonly choice: ModelChoice }
  | { readonly ok: false; readonly sentence: string };

export const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

const shown = (name: string): string => `\`${head(name.replace(/[^\w.:/@-]/g, ""), 100)}\``;

const hasOwnModels = ({ provider, own_models }: RequestedModel): boolean =>
  own_models === true || provider !== "anthropic";

const unknown = (model: string): string =>
  `The model ${shown(model)} is unknown. Use a known one, such as ${NEWEST_MODELS.map(shown).join(", ")}. ` +
  `If your own gateway at ANTHROPIC_BASE_URL serves it, also set the provider \`${COMPATIBLE}\`, as in \`llm.provider\`.`;

/** `list`: the provider's model list, which overrides our table; null when it was not fetched. */
export function chooseModel(
  requested: RequestedModel,
  today: string,
  list: readonly ListedModel[] | null = null,
): Chosen {
  const choice = fitToModel(requested, today, list);
  const { model } = choice;
  const known = findModel(model) !== null || findListed(list, model) !== null || looksNewer(model);
  return known || hasOwnModels(requested) ? { ok: true, choice } : { ok: false, sentence: unknown(model) };
}

/** The same for a name that was accepted before. */
export function fitToModel(
  requested: RequestedModel,
  today: string,
  list: readonly ListedModel[] | null = null,
): ModelChoice {
  const own = hasOwnModels(requested);
  const model = activeModel(requested.model, own, today, list);
  const listed = findListed(list, model);
  const facts = findModel(model);
  const output = listed?.output ?? facts?.output ?? null;
  const fitting = output ?? (own || !looksNewer(model) ? UNKNOWN_ANSWER_TOKENS : ANSWER_TOKENS);
  const max_tokens = Math.min(
    requested.max_tokens ?? Math.min(fitting, ANSWER_TOKENS),
    output ?? Number.POSITIVE_INFINITY,
  );
  const notes = [
    model === requested.model ? null : replaced(requested.model, model, findListed(list, requested.model)),
    deprecated(model, own, today, listed),
    facts === null && !own && looksNewer(model) ? unpriced(model) : null,
    requested.max_tokens === null || max_tokens === requested.max_tokens
      ? null
      : lowered(model, requested.max_tokens, max_tokens),
  ].filter((note) => note !== null);
  return { model, max_tokens, window: listed?.window ?? facts?.window ?? null, notes };
}

/** The model itself, or its first successor that is not retired. */
const activeModel = (name: string, own: boolean, today: string, list: readonly ListedModel[] | null): string =>
  lineageOf(name).find((model) => !isRetired(model, own, today, list)) ?? DEFAULT_MODEL;

/** Our date is a plan that may have changed: a model that its provider lists as active is not retired. */
function isRetired(name: string, own: boolean, today: string, list: readonly ListedModel[] | null): boolean {
  const listed = findListed(list, name);
  if (listed !== null) return listed.lifecycle === "retired";
  const retires = own ? null : (findModel(name)?.retires ?? null);
  return retires !== null && retires <= today;
}

const AGAIN = "Set this or another model in `llm.model` of `.github/journeyman.yml`, or where the retired one is set.";

function replaced(from: string, to: string, listed: ListedModel | null): string {
  const day = listed?.retires ?? findModel(from)?.retires ?? null;
  const since = day === null ? "" : ` since ${day}`;
  return `The model ${shown(from)} is retired${since}, so ${shown(to)} is used instead. ${AGAIN}`;
}

function deprecated(model: string, own: boolean, today: string, listed: ListedModel | null): string | null {
  const facts = own ? null : findModel(model);
  const day = listed?.retires ?? facts?.retires ?? null;
  if (listed?.lifecycle === "active" || (day === null && listed?.lifecycle !== "deprecated")) return null;
  const when = day === null ? "will be retired" : `${day > today ? "will be" : "was to be"} retired on ${day}`;
  const next = findModel(model)?.successor ?? DEFAULT_MODEL;
  return `The model ${shown(model)} is deprecated and ${when}; its successor is ${shown(next)}.`;
}

const unpriced = (model: string): string =>
  `The model ${shown(model)} is newer than this version of Journeyman, which has no price for it: ` +
  "`limits.cost_cents` uses the highest known price.";

const lowered = (model: string, from: number, to: number): string =>
  `${shown(model)} answers with at most ${to} tokens, so \`max_tokens\` is lowered from ${from} to ${to}.`;
