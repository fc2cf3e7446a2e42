/**
 * Reads what the commands beside the server need. These settings alone must be right; the others may be missing or
 * belong to somebody else.
 */
import { resolve } from "node:path";
import type { KeptDays } from "../contracts/retention.ts";
import type { Secret } from "../contracts/secret.ts";
import { keptApiKey } from "./api-key.ts";
import type { Environment } from "./environment.ts";
import { keptDaysOf, schema, sentences } from "./settings.ts";

/** What the `keys` command needs, which must work without an App. */
export interface KeysSettings {
  readonly data_dir: string;
  readonly api_key: Secret | null;
  /** Where a running server would answer. */
  readonly server_url: string;
}

/** How the model's provider is reached. */
export interface AnthropicSettings {
  readonly anthropic_api_key: Secret | null;
  readonly anthropic_base_url: string | null;
}

export type Part<T> =
  | { readonly kind: "settings"; readonly settings: T }
  | { readonly kind: "mistakes"; readonly mistakes: readonly string[] };

export function readKeysSettings(variables: Environment, cwd: string): Part<KeysSettings> {
  const parsed = schema
    .pick({ DATA_DIR: true, API_KEY: true, PUBLIC_URL: true, HOST: true, PORT: true })
    .safeParse(variables);
  if (!parsed.success) return { kind: "mistakes", mistakes: sentences(parsed.error) };
  const { DATA_DIR, API_KEY, PUBLIC_URL, HOST, PORT } = parsed.data;
  const host = HOST === "0.0.0.0" || HOST === "::" ? "127.0.0.1" : HOST;
  const server_url = PUBLIC_URL ?? `http://${host}:${PORT}`;
  const data_dir = resolve(cwd, DATA_DIR);
  return { kind: "settings", settings: { data_dir, api_key: API_KEY ?? keptApiKey(data_dir), server_url } };
}

export function readAnthropicSettings(variables: Environment): Part<AnthropicSettings> {
  const parsed = schema.pick({ ANTHROPIC_API_KEY: true, ANTHROPIC_BASE_URL: true }).safeParse(variables);
  if (!parsed.success) return { kind: "mistakes", mistakes: sentences(parsed.error) };
  const { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL } = parsed.data;
  const settings = { anthropic_api_key: ANTHROPIC_API_KEY ?? null, anthropic_base_url: ANTHROPIC_BASE_URL ?? null };
  return { kind: "settings", settings };
}

/** What the `prune` command needs. */
export interface PruneSettings {
  readonly data_dir: string;
  readonly kept_days: KeptDays;
}

export function readPruneSettings(variables: Environment, cwd: string): Part<PruneSettings> {
  const parsed = schema.pick({ DATA_DIR: true, KEEP_JOBS_DAYS: true, KEEP_LOGS_DAYS: true }).safeParse(variables);
  if (!parsed.success) return { kind: "mistakes", mistakes: sentences(parsed.error) };
  const data_dir = resolve(cwd, parsed.data.DATA_DIR);
  return { kind: "settings", settings: { data_dir, kept_days: keptDaysOf(parsed.data) } };
}
