/**
 * Who names the model of a run: the job itself, then the settings file, then the repository's variables, then the server.
 * The brief says what the first, second and last of these named and which of them did; the run knows the variables. Pure.
 */
import { z } from "zod";

export const MODEL_SOURCES = ["job", "settings", "server"] as const;
export type ModelSource = (typeof MODEL_SOURCES)[number];

const source = z.enum(MODEL_SOURCES);

/** Of each part by itself. */
export const namedBySchema = z.object({ provider: source, model: source, max_tokens: source });
export type NamedBy = z.infer<typeof namedBySchema>;

/** `LLM_PROVIDER`, `LLM_MODEL` and `LLM_MAX_TOKENS` of the run; null: not set. */
export interface RunVariables {
  readonly provider: string | null;
  readonly model: string | null;
  readonly max_tokens: number | null;
}

interface Named {
  readonly provider: string;
  readonly model: string;
  readonly max_tokens: number | null;
  readonly notes: readonly string[];
  /** Missing: a server of before wrote the brief, whose word was the last. */
  readonly named_by?: NamedBy | undefined;
}

/** What counts in this run. A variable's model is not the one that the server has looked at: its notes and limit go. */
export function withVariables<T extends Named>(llm: T, variables: RunVariables): T {
  const { named_by } = llm;
  if (named_by === undefined) return llm;
  const model = named_by.model === "server" ? variables.model : null;
  const provider = named_by.provider === "server" ? variables.provider : null;
  const max_tokens = named_by.max_tokens === "server" ? variables.max_tokens : null;
  const other = model !== null && model !== llm.model;
  return {
    ...llm,
    provider: provider ?? llm.provider,
    model: model ?? llm.model,
    max_tokens: max_tokens ?? (other && named_by.max_tokens === "server" ? null : llm.max_tokens),
    notes: other ? [] : llm.notes,
  };
}

const WORDS: Readonly<Record<ModelSource, string>> = {
  job: "as the job names it",
  settings: "as .github/journeyman.yml names it",
  server: "as the server names it",
};

/** In words, for the log; empty: a server of before does not tell. */
export function saidBy({ named_by }: Pick<Named, "named_by">, variables: RunVariables): string {
  if (named_by === undefined) return "";
  const variable = named_by.model === "server" && variables.model !== null;
  return variable ? "as the repository's variable LLM_MODEL names it" : WORDS[named_by.model];
}
