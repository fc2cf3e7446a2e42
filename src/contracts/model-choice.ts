/**
 * From the model that was asked for to the one that works: a retired one is followed by its successor, an answer's limit
 * is brought to what the model can do, a name that nobody knows is refused. What was changed is said in sentences that
 * are shown as they stand. Pure; the day, and what the provider says of its models, come in.
 */

import { head } from "../text/text.ts";
import { findListed, type ListedModel } from "./model-list.ts";
import { DEFAULT_MODEL, findModel, lineageOf, looksNewer, NEWEST_MODELS } from "./models.ts";

/** Serves models under names of its own, at `ANTHROPIC_BASE_URL`, in the words of Anthropic's API. */
export const COMPATIBLE = "anthropic-compatible";

/** Long enough to write a file of a hundred kilobytes; what a call may cost is counted with all of it, so not more. */
const ANSWER_TOKENS = 32_000;
/** Of a model whose limits nobody tells: what most local ones take. */
const UNKNOWN_ANSWER_TOKENS = 8_192;

export interface Wanted {
  readonly provider: string;
  readonly model: string;
  /** Tokens of one answer; null: as many as fit the model. */
  readonly max_tokens: number | null;
  /** What is behind the provider's address has names and dates of its own. */
  readonly own_models?: boolean;
}

export interface ModelChoice {
  readonly model: string;
  readonly max_tokens: number;
  /** Tokens of prompt and answer together; null: not known. */
  readonly window: number | null;
  readonly notes: readonly string[];
}

export type Chosen =
  | { readonly ok: true; readonly choice: ModelChoice }
  | { readonly ok: false; readonly sentence: string };

export const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

const shown = (name: string): string => `\`${head(name.replace(/[^\w.:/@-]/g, ""), 100)}\``;

const hasOwnModels = ({ provider, own_models }: Wanted): boolean => own_models === true || provider !== "anthropic";

const unknown = (model: string): string =>
  `The model ${shown(model)} is not known. Name one that is, such as ${NEWEST_MODELS.map(shown).join(", ")}. ` +
  `If it is served by a gateway of your own at ANTHROPIC_BASE_URL, name the provider \`${COMPATIBLE}\` beside it, as in \`llm.provider\`.`;

/** `list`: of the model's provider; null: it was not asked. Its word on a model counts before ours. */
export function chooseModel(wanted: Wanted, today: string, list: readonly ListedModel[] | null = null): Chosen {
  const choice = fitToModel(wanted, today, list);
  const { model } = choice;
  const known = findModel(model) !== null || findListed(list, model) !== null || looksNewer(model);
  return known || hasOwnModels(wanted) ? { ok: true, choice } : { ok: false, sentence: unknown(model) };
}

/** The same for a name that was let through before. */
export function fitToModel(wanted: Wanted, today: string, list: readonly ListedModel[] | null = null): ModelChoice {
  const own = hasOwnModels(wanted);
  const model = livingModel(wanted.model, own, today, list);
  const listed = findListed(list, model);
  const facts = findModel(model);
  const output = listed?.output ?? facts?.output ?? null;
  const fitting = output ?? (own || !looksNewer(model) ? UNKNOWN_ANSWER_TOKENS : ANSWER_TOKENS);
  const max_tokens = Math.min(
    wanted.max_tokens ?? Math.min(fitting, ANSWER_TOKENS),
    output ?? Number.POSITIVE_INFINITY,
  );
  const notes = [
    model === wanted.model ? null : replaced(wanted.model, model, findListed(list, wanted.model)),
    deprecated(model, own, today, listed),
    facts === null && !own && looksNewer(model) ? unpriced(model) : null,
    wanted.max_tokens === null || max_tokens === wanted.max_tokens
      ? null
      : lowered(model, wanted.max_tokens, max_tokens),
  ].filter((note) => note !== null);
  return { model, max_tokens, window: listed?.window ?? facts?.window ?? null, notes };
}

/** The model itself, or the first after it that is not retired. */
const livingModel = (name: string, own: boolean, today: string, list: readonly ListedModel[] | null): string =>
  lineageOf(name).find((model) => !isRetired(model, own, today, list)) ?? DEFAULT_MODEL;

/** Our date is a plan that may have been put off: what its provider lists as alive is alive. */
function isRetired(name: string, own: boolean, today: string, list: readonly ListedModel[] | null): boolean {
  const listed = findListed(list, name);
  if (listed !== null) return listed.lifecycle === "retired";
  const retires = own ? null : (findModel(name)?.retires ?? null);
  return retires !== null && retires <= today;
}

const AGAIN = "Name it, or another, in `llm.model` of `.github/journeyman.yml`, or wherever the retired one is named.";

function replaced(from: string, to: string, listed: ListedModel | null): string {
  const day = listed?.retires ?? findModel(from)?.retires ?? null;
  const since = day === null ? "" : ` since ${day}`;
  return `The model ${shown(from)} is retired${since}, so ${shown(to)} takes its place. ${AGAIN}`;
}

function deprecated(model: string, own: boolean, today: string, listed: ListedModel | null): string | null {
  const facts = own ? null : findModel(model);
  const day = listed?.retires ?? facts?.retires ?? null;
  if (listed?.lifecycle === "active" || (day === null && listed?.lifecycle !== "deprecated")) return null;
  const when = day === null ? "will be retired" : `${day > today ? "will be" : "was to be"} retired on ${day}`;
  const next = findModel(model)?.successor ?? DEFAULT_MODEL;
  return `The model ${shown(model)} is deprecated and ${when}; ${shown(next)} follows it.`;
}

const unpriced = (model: string): string =>
  `The model ${shown(model)} is newer than this version of Journeyman, which knows no price for it: ` +
  "`limits.cost_cents` binds the job by the dearest price that is known.";

const lowered = (model: string, from: number, to: number): string =>
  `An answer of ${shown(model)} has at most ${to} tokens, so \`max_tokens\` is that and not ${from}.`;
