/**
 * Precedence of the model settings: the job, the settings file, the repository's variables, the server. The brief holds
 * the values from job, settings file and server, and which of them applied; the run knows the variables. Pure.
 */
import * as z from "zod";

export const MODEL_SOURCES = ["job", "settings", "server"] as const;
export type ModelSource = (typeof MODEL_SOURCES)[number];

const source = z.enum(MODEL_SOURCES);

/** The source of each setting. */
export const namedBySchema = z.object({ provider: source, model: source, max_tokens: source });
export type NamedBy = z.infer<typeof namedBySchema>;

/** The run's `LLM_PROVIDER`, `LLM_MODEL` and `LLM_MAX_TOKENS`; null when not set. */
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
  /** Missing in briefs of older servers, whose values are final. */
  readonly named_by?: NamedBy | undefined;
}

/**
 * Applies the variables. The notes and the answer limit were made for the server's model, so they are dropped if a
 * variable replaces it.
 */
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
  job: "set by the job",
  settings: "set by .github/journeyman.yml",
  server: "set by the server",
};

/** The sources in words, for the log; empty when an older server did not say. */
export function describeSource({ named_by }: Pick<Named, "named_by">, variables: RunVariables): string {
  if (named_by === undefined) return "";
  const variable = named_by.model === "server" && variables.model !== null;
  return variable ? "set by the repository's variable LLM_MODEL" : WORDS[named_by.model];
}
