/**
 * Rejects unknown model names early, so that the requester learns at once. The repository's settings may name a
 * provider that knows the model; before they are read, a request can name the provider, and for comments the check
 * happens when the brief is written.
 */
import type { Draft } from "../domain/job/command.ts";
import { startedBy } from "../domain/job/job.ts";
import { type ModelDefaults, modelOf } from "../domain/job/model-selection.ts";
import type { Clock } from "./ports/clock.ts";
import type { RepositoryStore } from "./ports/repositories.ts";

export interface ModelNeeds {
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly now: Clock["now"];
  readonly llm: ModelDefaults | undefined;
}

/** The refusal; null when there is none. */
export async function unknownModel(
  { repositories, now, llm }: ModelNeeds,
  { choices, repository, runner, origin }: Pick<Draft, "choices" | "repository" | "runner" | "origin">,
): Promise<string | null> {
  if (llm === undefined || runner !== "actions" || choices.model === null) return null;
  const known = await repositories.get(repository.owner, repository.name);
  const named = modelOf(choices, known?.settings ?? null, llm, now());
  // what starts by itself was read together with the settings
  const read = (known?.base ?? null) !== null || startedBy({ origin }) !== null;
  return named.ok || !(read || origin.kind === "rest") ? null : named.sentence;
}
