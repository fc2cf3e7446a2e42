/**
 * Selects the model of a job: the sender's choice takes precedence over the settings file, which takes precedence over
 * the server's settings. Pure.
 */
import { type Chosen, chooseModel, dayOf, type RequestedModel } from "../../contracts/model-choice.ts";
import type { ListedModel } from "../../contracts/model-list.ts";
import type { ModelSource, NamedBy } from "../../contracts/model-source.ts";
import type { RepositorySettings } from "../../contracts/settings.ts";
import type { Choices } from "./job.ts";

/** What counts where neither sender nor repository say anything. */
export interface ModelDefaults extends RequestedModel {
  /** What the provider itself last said of its models; missing or null: it was not asked. */
  readonly listed?: () => readonly ListedModel[] | null;
}

/** `settings` null: the repository has none. */
export function modelOf(
  choices: Pick<Choices, "provider" | "model">,
  settings: Pick<RepositorySettings, "llm"> | null,
  defaults: ModelDefaults,
  now: number,
): Chosen & { readonly provider: string; readonly named_by: NamedBy } {
  const provider = choices.provider ?? settings?.llm.provider ?? defaults.provider;
  const model = choices.model ?? settings?.llm.model ?? defaults.model;
  const max_tokens = settings?.llm.max_tokens ?? defaults.max_tokens;
  const { own_models = false, listed } = defaults;
  const by = (of_job: string | null, of_settings: string | number | undefined): ModelSource =>
    of_job !== null ? "job" : of_settings === undefined ? "server" : "settings";
  const named_by = {
    provider: by(choices.provider, settings?.llm.provider),
    model: by(choices.model, settings?.llm.model),
    max_tokens: by(null, settings?.llm.max_tokens),
  };
  const chosen = chooseModel({ provider, model, max_tokens, own_models }, dayOf(now), listed?.() ?? null);
  if (chosen.ok || choices.model !== null || settings?.llm.model === undefined)
    return { ...chosen, provider, named_by };
  return { ok: false, sentence: `${NAMED_IN_SETTINGS} ${chosen.sentence}`, provider, named_by };
}

const NAMED_IN_SETTINGS = "`llm.model` in `.github/journeyman.yml` is wrong.";
