/** The server's default model, read the same way by the server and by Actions mode. */
import { chooseModel, dayOf } from "../contracts/model-choice.ts";

/** As it was asked for: what is retired later is replaced wherever it is used. */
export interface LlmSettings {
  readonly provider: string;
  readonly model: string;
  /** Null: as many as fit the model. */
  readonly max_tokens: number | null;
  /** The provider's address is a gateway of one's own, which may serve models that nobody here knows. */
  readonly own_models: boolean;
}

interface LlmVariables {
  readonly LLM_PROVIDER: string;
  readonly LLM_MODEL: string;
  readonly LLM_MAX_TOKENS?: number | undefined;
  readonly ANTHROPIC_BASE_URL?: string | undefined;
}

export const llmOf = (variables: LlmVariables): LlmSettings => ({
  provider: variables.LLM_PROVIDER,
  model: variables.LLM_MODEL,
  max_tokens: variables.LLM_MAX_TOKENS ?? null,
  own_models: (variables.ANTHROPIC_BASE_URL ?? "") !== "",
});

/** What is wrong with it on that day, and what is changed about it. */
export function lookAtLlm(llm: LlmSettings, now: number): { mistakes: readonly string[]; notes: readonly string[] } {
  const chosen = chooseModel(llm, dayOf(now));
  const named = (sentence: string): string => `LLM_MODEL: ${sentence}`;
  return chosen.ok
    ? { mistakes: [], notes: chosen.choice.notes.map(named) }
    : { mistakes: [named(chosen.sentence)], notes: [] };
}
