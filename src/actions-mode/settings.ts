/** The settings of Actions mode, read from the variables of a workflow step. Every mistake is reported at once. */
import * as z from "zod";
import { DEFAULT_MODEL } from "../contracts/models.ts";
import { Secret } from "../contracts/secret.ts";
import type { Environment } from "../main/environment.ts";
import { type LlmSettings, llmOf, lookAtLlm } from "../main/llm-settings.ts";
import type { LogSettings } from "../main/settings.ts";
import { type OwnSettings, unknownSettings } from "../main/unknown-settings.ts";

/** A paced comment, GitHub's own computing and the first checks take well under this. */
const DEFAULT_WAIT_SECONDS = 90;
const MAX_WAIT_SECONDS = 1_800;

const text = z
  .string()
  .trim()
  .min(1, { error: () => "must not be empty." });
const whole = (least: number, most: number) => {
  const error = () => `must be a whole number from ${least} to ${most}.`;
  return text
    .regex(/^\d+$/, { error })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error });
};
const missing = (name: string, hint: string) => z.string({ error: () => `${name} is missing; ${hint}` });
const RUNNER = "it is set by GitHub's runner, inside of which this runs.";

const schema = z.object({
  INPUT_TOKEN: missing("the token", "pass it by the action's input `token`.").transform((value) => new Secret(value)),
  GITHUB_EVENT_NAME: missing("the event's name", RUNNER),
  GITHUB_EVENT_PATH: missing("the event's file", RUNNER),
  GITHUB_RUN_ID: missing("the run's id", RUNNER).regex(/^\d{1,20}$/, { error: () => "must be a number." }),
  GITHUB_RUN_ATTEMPT: whole(1, 10_000).default(1),
  GITHUB_REPOSITORY: missing("the repository", RUNNER).regex(/^[^/\s]+\/[^/\s]+$/, {
    error: () => "must name a repository as owner/name.",
  }),
  GITHUB_API_URL: z.url({ error: () => "must be a URL." }).default("https://api.github.com"),
  GITHUB_SERVER_URL: z.url({ error: () => "must be a URL." }).default("https://github.com"),
  RUNNER_TEMP: missing("the temporary folder", RUNNER),
  RUNNER_DEBUG: z.string().optional(),
  INPUT_PATIENCE: whole(1, MAX_WAIT_SECONDS).default(DEFAULT_WAIT_SECONDS),
  // Probot would start a Sentry client, which is not installed
  SENTRY_DSN: z.never({ error: () => "errors go to the log alone; remove the setting." }).optional(),
  LLM_PROVIDER: text.default("anthropic"),
  LLM_MODEL: text.default(DEFAULT_MODEL),
  LLM_MAX_TOKENS: whole(256, 200_000).optional(),
  ANTHROPIC_BASE_URL: z.string().optional(),
});

/** Other steps of a job may share its environment, so nothing is refused. */
const OWN: OwnSettings = {
  known: Object.keys(schema.shape),
  refused: [],
  named: ["INPUT_", "JOURNEYMAN_", "LLM_", "QUOTA_"],
  of: "Actions mode",
};

export interface ActionSettings {
  readonly token: Secret;
  readonly event: string;
  readonly run_id: string;
  /** Above 1: somebody has run this event again. */
  readonly run_attempt: number;
  readonly repository: { readonly owner: string; readonly name: string };
  readonly api_url: string;
  readonly web_url: string;
  readonly temp_dir: string;
  /** How long pending work is waited for before it is left to the next event. */
  readonly wait_budget_ms: number;
  readonly llm: LlmSettings;
  readonly log: LogSettings;
}

export type ActionReading =
  /** `notes`: what was set and is ignored, a sentence each. */
  | { readonly ok: true; readonly settings: ActionSettings; readonly notes: readonly string[] }
  | { readonly ok: false; readonly mistakes: readonly string[] };

export function readActionSettings(variables: Environment, now: number = Date.now()): ActionReading {
  const parsed = schema.safeParse(variables);
  if (!parsed.success)
    return { ok: false, mistakes: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) };
  const of = parsed.data;
  const llm = llmOf(of);
  const { mistakes } = lookAtLlm(llm, now);
  if (mistakes.length > 0) return { ok: false, mistakes };
  const [owner = "", name = ""] = of.GITHUB_REPOSITORY.split("/");
  return {
    ok: true,
    notes: unknownSettings(variables, OWN).notes,
    settings: {
      token: of.INPUT_TOKEN,
      event: of.GITHUB_EVENT_NAME,
      run_id: of.GITHUB_RUN_ID,
      run_attempt: of.GITHUB_RUN_ATTEMPT,
      repository: { owner, name },
      api_url: of.GITHUB_API_URL.replace(/\/+$/, ""),
      web_url: of.GITHUB_SERVER_URL.replace(/\/+$/, ""),
      temp_dir: of.RUNNER_TEMP,
      wait_budget_ms: of.INPUT_PATIENCE * 1_000,
      llm,
      log: { level: of.RUNNER_DEBUG === "1" ? "debug" : "info", format: "pretty" },
    },
  };
}
