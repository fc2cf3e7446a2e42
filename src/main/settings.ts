/**
 * Reads the server's settings from the environment and `.env`. Reports every mistake at once, in sentences that say
 * what is expected. A setting that this version cannot honour is refused rather than ignored.
 */
import { resolve } from "node:path";
import * as z from "zod";
import type { AccountLimits } from "../contracts/budget.ts";
import { DEFAULT_MODEL } from "../contracts/models.ts";
import { RUN_ACTION_PATTERN, RUN_JOB_ACTION } from "../contracts/publisher.ts";
import { PUSHES_PER_MINUTE } from "../contracts/push-pace.ts";
import { REPOSITORY_NAME } from "../contracts/repository-name.ts";
import { DEFAULT_KEPT_DAYS, DELIVERIES_KEPT_DAYS, type KeptDays } from "../contracts/retention.ts";
import { FEDERATION_PATTERN, type RunAction } from "../contracts/run-action.ts";
import { Secret } from "../contracts/secret.ts";
import { DEFAULT_QUOTAS, type QuotaLimits } from "../domain/job/quotas.ts";
import { DEFAULT_HOST, DEFAULT_PORT, type Environment, MAX_PORT } from "./environment.ts";
import { type LlmSettings, llmOf, lookAtLlm } from "./llm-settings.ts";
import { readPrivateKey } from "./private-key.ts";
import { type OwnSettings, unknownSettings } from "./unknown-settings.ts";

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** Probot's own default: everybody knows it, so nobody may rely on it. */
const WELL_KNOWN_WEBHOOK_SECRET = "development";
const MIN_API_KEY_LENGTH = 16;

/** Who signs the tokens of workflows: on github.com, and behind the address of an Enterprise Server. */
const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
const GHE_ISSUER_PATH = "/_services/token";

/** Settings of other versions or of Probot's own server. Ignoring one of them would betray whoever set it. */
const NOT_HONOURED: Readonly<Record<string, string>> = {
  DATABASE_URL:
    "DATABASE_URL: this version keeps its jobs in DATA_DIR and has no Postgres store yet; remove the setting.",
  REDIS_URL: "REDIS_URL: this version runs as one process and shares no limits through Redis; remove the setting.",
  WEBHOOK_PATH: "WEBHOOK_PATH: webhooks are served at /api/github/webhooks; remove the setting.",
  SENTRY_DSN: "SENTRY_DSN: errors go to the log alone; remove the setting.",
};

/** Settings by their earlier names, which still work. */
const RENAMED: Readonly<Record<string, string>> = { QUOTA_TURNS_PER_DAY: "QUOTA_ROUNDS_PER_DAY" };

const text = z.string().trim();

const expects = (expected: string) => ({ error: () => expected });

const integer = (least: number, most: number) =>
  text
    .regex(/^\d+$/, expects(`must be a whole number from ${least} to ${most}.`))
    .transform(Number)
    .refine((value) => value >= least && value <= most, expects(`must be a whole number from ${least} to ${most}.`));

const httpUrl = text
  .refine((value) => {
    const url = URL.canParse(value) ? new URL(value) : null;
    return url !== null && (url.protocol === "http:" || url.protocol === "https:");
  }, expects("must be a URL that begins with http:// or https://."))
  .transform((value) => value.replace(/\/+$/, ""));

const repositoryName = text.regex(REPOSITORY_NAME, expects("must name a repository as owner/name."));

const secret = (least: number) =>
  text.min(least, expects(`must have at least ${least} characters.`)).transform((value) => new Secret(value));

const boolean = z.enum(["true", "false"], expects("must be true or false.")).transform((value) => value === "true");

/** 32 bytes as 64 hexadecimal digits or in base64. */
const encryptionKey = text
  .refine(
    (value) => /^[0-9a-fA-F]{64}$/.test(value) || Buffer.from(value, "base64").length === 32,
    expects("must be 32 bytes, as 64 hexadecimal digits or in base64 (make one with: openssl rand -hex 32)."),
  )
  .transform((value) => new Secret(value));

const MB = 1024 * 1024;
const MOST_QUOTA = 1_000_000;
const MOST_DAYS = 36_500;
const quota = integer(1, MOST_QUOTA);
const budget = integer(1, 100_000_000).optional();

export const schema = z.object({
  APP_ID: integer(1, Number.MAX_SAFE_INTEGER).optional(),
  WEBHOOK_SECRET: secret(1).optional(),
  GITHUB_CLIENT_ID: text.min(1).optional(),
  GITHUB_CLIENT_SECRET: secret(16).optional(),
  WEBHOOK_PROXY_URL: httpUrl.optional(),
  GHE_HOST: text.regex(/^[A-Za-z0-9.-]+(:\d+)?$/, expects("must be a host name, without protocol or path.")).optional(),
  GHE_PROTOCOL: z.enum(["https", "http"], expects("must be https or http.")).default("https"),
  HOST: text.min(1).default(DEFAULT_HOST),
  PORT: integer(0, MAX_PORT).default(DEFAULT_PORT),
  TRUST_PROXY: integer(0, 10).default(0),
  LOG_LEVEL: z.enum(LOG_LEVELS, expects(`must be one of ${LOG_LEVELS.join(", ")}.`)).default("info"),
  LOG_FORMAT: z.enum(["json", "pretty"], expects("must be json or pretty.")).optional(),
  DATA_DIR: text.min(1).default("./data"),
  API_KEY: secret(MIN_API_KEY_LENGTH).optional(),
  DEFAULT_REPOSITORY: repositoryName.optional(),
  STRIPE_SECRET_KEY: secret(MIN_API_KEY_LENGTH).optional(),
  STRIPE_WEBHOOK_SECRET: secret(MIN_API_KEY_LENGTH).optional(),
  STRIPE_API_BASE: httpUrl.optional(),
  CRON_SECRET: secret(MIN_API_KEY_LENGTH).optional(),
  ENCRYPTION_KEY: encryptionKey.optional(),
  PUBLIC_URL: httpUrl.optional(),
  WEBHOOK_ALLOW_PRIVATE: boolean.default(false),
  SET_UP_PULL_REQUESTS: boolean.default(true),
  PUSHES_PER_MINUTE: integer(1, 1_000).default(PUSHES_PER_MINUTE),
  RUN_ACTION: text
    .regex(RUN_ACTION_PATTERN, expects("must look like owner/repo/.github/actions/run-job@ref."))
    .default(RUN_JOB_ACTION),
  RUN_FEDERATION: text
    .regex(
      FEDERATION_PATTERN,
      expects("must be three or four ids with a space between: rule, organization, service account, workspace."),
    )
    .optional(),
  QUOTA_KEPT_MB: quota.default(DEFAULT_QUOTAS.kept_bytes / MB),
  QUOTA_OPEN_ORDERS: quota.default(DEFAULT_QUOTAS.open_orders),
  QUOTA_JOBS_UNDER_WAY: quota.default(DEFAULT_QUOTAS.jobs_under_way),
  QUOTA_QUOTES_PER_HOUR: quota.default(DEFAULT_QUOTAS.quotes_per_hour),
  QUOTA_ROUNDS_PER_DAY: quota.default(DEFAULT_QUOTAS.rounds_per_day),
  QUOTA_ACCEPTED_JOBS: quota.default(DEFAULT_QUOTAS.accepted_jobs),
  ACCOUNT_BUDGET_DAY_CENTS: budget,
  ACCOUNT_BUDGET_MONTH_CENTS: budget,
  KEEP_JOBS_DAYS: integer(0, MOST_DAYS).default(DEFAULT_KEPT_DAYS.jobs),
  KEEP_LOGS_DAYS: integer(0, MOST_DAYS).default(DEFAULT_KEPT_DAYS.logs),
  KEEP_DELIVERIES_DAYS: integer(1, MOST_DAYS).default(DELIVERIES_KEPT_DAYS),
  LLM_PROVIDER: text.min(1).default("anthropic"),
  LLM_MODEL: text.min(1).default(DEFAULT_MODEL),
  LLM_MAX_TOKENS: integer(256, 200_000).optional(),
  ANTHROPIC_API_KEY: secret(1).optional(),
  ANTHROPIC_BASE_URL: httpUrl.optional(),
});

/** All that somebody reads: these here, the key's, and those of the sandbox. */
const KNOWN = [
  ...Object.keys(schema.shape),
  ...Object.keys(NOT_HONOURED),
  ...Object.keys(RENAMED),
  ...["PRIVATE_KEY", "PRIVATE_KEY_PATH", "JOURNEYMAN_AGENT_IMAGE"],
];

const OWN: OwnSettings = {
  known: KNOWN,
  refused: ["JOURNEYMAN_", "LLM_", "GHE_", "QUOTA_", "KEEP_", "ACCOUNT_"],
  named: ["STRIPE_", "ANTHROPIC_", "GITHUB_CLIENT_", "WEBHOOK_", "PRIVATE_KEY_"],
  of: "this server",
};

type Parsed = z.infer<typeof schema>;

export interface Settings {
  readonly app_id: number;
  readonly private_key: Secret;
  readonly webhook_secret: Secret;
  /** The App as people sign in to it; null: nobody can. */
  readonly github_client: { readonly id: string; readonly secret: Secret } | null;
  readonly webhook_proxy_url: string | null;
  /** GitHub's REST API, without a trailing slash. */
  readonly github_api_url: string;
  /** GitHub's pages, without a trailing slash. */
  readonly github_web_url: string;
  /** Who signs the tokens of workflows. */
  readonly oidc_issuer: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly public_url: string | null;
  /** Proxies in front that say who came to them. */
  readonly trust_proxy: number;
  readonly log: LogSettings;
  /** Absolute. */
  readonly data_dir: string;
  /** Null: none yet; the process makes one in the data folder. */
  readonly api_key: Secret | null;
  readonly default_repository: string | null;
  /** The server's own model, for quotes and the judge; without a key there is none. */
  readonly anthropic: { readonly api_key: Secret | null; readonly base_url: string | null };
  /** Null: one is made in the data folder at the first need. */
  readonly encryption_key: Secret | null;
  /** Null: nobody may ask for deadlines to be enforced. */
  readonly cron_secret: Secret | null;
  /** Null: nobody here takes money. */
  readonly stripe: {
    readonly secret_key: Secret;
    readonly webhook_secret: Secret;
    readonly api_url: string | null;
  } | null;
  /** Webhooks of ours may go to private addresses, and over http: for development. */
  readonly webhook_allow_private: boolean;
  /** Whether repositories without the workflow get a pull request that sets them up. */
  readonly offers_set_up: boolean;
  /** What workflow files are offered with. */
  readonly run_action: RunAction;
  /** To one repository. */
  readonly pushes_per_minute: number;
  /** How long finished jobs and logs are kept; 0: for ever. */
  readonly kept_days: KeptDays;
  /** How long webhook deliveries are kept, in days. */
  readonly deliveries_kept_days: number;
  /** What one account may have and ask for at once. */
  readonly quotas: QuotaLimits;
  /** What the jobs of an account may cost that has no budget of its own. */
  readonly account_limits: AccountLimits;
  readonly llm: LlmSettings;
}

export interface LogSettings {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: "json" | "pretty" | null;
}

export type Reading =
  /** `notes`: settings that are well-formed, but that nothing uses yet, or not as they stand. */
  | { readonly kind: "settings"; readonly settings: Settings; readonly notes: readonly string[] }
  /** No App yet: the set-up page can make one. */
  | { readonly kind: "setup"; readonly settings: SetupSettings }
  | { readonly kind: "mistakes"; readonly mistakes: readonly string[] };

/** What the set-up page needs: all that it does not find out itself. */
export interface SetupSettings
  extends Pick<
    Settings,
    | ("host" | "port" | "trust_proxy" | "log" | "data_dir" | "encryption_key")
    | ("public_url" | "webhook_proxy_url" | "github_api_url" | "github_web_url")
  > {
  /** A GitHub of one's own, which may reach what the internet cannot. */
  readonly enterprise: boolean;
}

const KEY_MISSING =
  "PRIVATE_KEY: is missing beside APP_ID; set it to the App's private key (PEM, or the PEM in base64), or PRIVATE_KEY_PATH to its file.";
const STRIPE_HALF =
  "STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET: are of use together alone; set both (Stripe shows the second beside the webhook), or neither.";
const SECRET_MISSING =
  "WEBHOOK_SECRET: is missing; set the secret that the App's webhooks are signed with (not the word development).";

/** Of an App that there is: without its id they would be mixed with those of the one that is made. */
const OF_AN_APP = ["PRIVATE_KEY", "PRIVATE_KEY_PATH", "WEBHOOK_SECRET", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"];
const idMissing = (beside: string): string =>
  `APP_ID: is missing beside ${beside}; set it to the App's id, or remove ${beside} and make an App by the set-up page.`;

const HALF_A_CLIENT =
  "GITHUB_CLIENT_ID: goes with GITHUB_CLIENT_SECRET; set both, from the App's settings page, or neither.";
const NO_WAY_BACK =
  "GITHUB_CLIENT_ID is set, but PUBLIC_URL is not, so nobody can sign in: GitHub must know where to send people back to.";

/** Gives each setting its present name. Where both names are set, the present one counts. */
function underPresentNames(variables: Environment): { readonly variables: Environment; readonly notes: string[] } {
  const old = Object.entries(RENAMED).filter(([name]) => variables[name] !== undefined);
  const values = old.map(([name, present]) => [present, variables[present] ?? variables[name]] as const);
  return {
    variables: { ...variables, ...Object.fromEntries(values) },
    notes: old.map(
      ([name, present]) => `${name} is replaced by ${present}; rename it, since a later version ignores it.`,
    ),
  };
}

/** The settings in these variables, or everything that is wrong with them. */
export function readSettings(given: Environment, cwd: string, now: number = Date.now()): Reading {
  const { variables, notes: renamed } = underPresentNames(given);
  const mistakes = Object.entries(NOT_HONOURED).flatMap(([name, sentence]) => (variables[name] ? [sentence] : []));
  const unknown = unknownSettings(variables, OWN);
  mistakes.push(...unknown.mistakes);
  const parsed = schema.safeParse(variables);
  if (!parsed.success) {
    mistakes.push(...sentences(parsed.error));
  }
  const key = readPrivateKey(variables, cwd);
  if (key !== null && "mistake" in key) mistakes.push(key.mistake);

  if ((variables.GITHUB_CLIENT_ID === undefined) !== (variables.GITHUB_CLIENT_SECRET === undefined))
    mistakes.push(HALF_A_CLIENT);

  const secret = variables.WEBHOOK_SECRET?.trim();
  const setup = variables.APP_ID === undefined;
  const beside = OF_AN_APP.find((name) => variables[name] !== undefined);
  if (setup && beside !== undefined) mistakes.push(idMissing(beside));
  if (!setup && key === null) mistakes.push(KEY_MISSING);
  if (!setup && secret === undefined) mistakes.push(SECRET_MISSING);
  if ((variables.STRIPE_SECRET_KEY === undefined) !== (variables.STRIPE_WEBHOOK_SECRET === undefined))
    mistakes.push(STRIPE_HALF);
  if (secret === WELL_KNOWN_WEBHOOK_SECRET) {
    mistakes.push("WEBHOOK_SECRET: must not be the well-known word development; make one with: openssl rand -hex 32.");
  }
  const model = parsed.success ? lookAtLlm(llmOf(parsed.data), now) : { mistakes: [], notes: [] };
  mistakes.push(...model.mistakes);
  if (mistakes.length > 0 || !parsed.success) return { kind: "mistakes", mistakes: [...mistakes, ...renamed] };

  const { APP_ID, WEBHOOK_SECRET } = parsed.data;
  if (APP_ID === undefined || WEBHOOK_SECRET === undefined || key === null || "mistake" in key) {
    return { kind: "setup", settings: setupSettingsOf(parsed.data, cwd) };
  }
  const settings = settingsOf(parsed.data, { app_id: APP_ID, webhook_secret: WEBHOOK_SECRET, private_key: key.key });
  return {
    kind: "settings",
    settings: { ...settings, data_dir: resolve(cwd, settings.data_dir) },
    notes: [...unknown.notes, ...renamed, ...notes(parsed.data), ...model.notes],
  };
}

export const keptDaysOf = (parsed: Pick<Parsed, "KEEP_JOBS_DAYS" | "KEEP_LOGS_DAYS">): KeptDays => ({
  jobs: parsed.KEEP_JOBS_DAYS,
  logs: parsed.KEEP_LOGS_DAYS,
});

const clientOf = ({ GITHUB_CLIENT_ID: id, GITHUB_CLIENT_SECRET: secret }: Parsed): Settings["github_client"] =>
  id === undefined || secret === undefined ? null : { id, secret };

const githubOf = ({ GHE_HOST: host, GHE_PROTOCOL: protocol }: Parsed) => ({
  github_api_url: host ? `${protocol}://${host}/api/v3` : "https://api.github.com",
  github_web_url: host ? `${protocol}://${host}` : "https://github.com",
});

const serverOf = (parsed: Parsed) => ({
  host: parsed.HOST,
  port: parsed.PORT,
  public_url: parsed.PUBLIC_URL ?? null,
  trust_proxy: parsed.TRUST_PROXY,
  log: { level: parsed.LOG_LEVEL, format: parsed.LOG_FORMAT ?? null },
  webhook_proxy_url: parsed.WEBHOOK_PROXY_URL ?? null,
  encryption_key: parsed.ENCRYPTION_KEY ?? null,
});

const setupSettingsOf = (parsed: Parsed, cwd: string): SetupSettings => ({
  ...githubOf(parsed),
  ...serverOf(parsed),
  data_dir: resolve(cwd, parsed.DATA_DIR),
  enterprise: parsed.GHE_HOST !== undefined,
});

const settingsOf = (
  parsed: Parsed,
  app: { readonly app_id: number; readonly webhook_secret: Secret; readonly private_key: Secret },
): Settings => ({
  ...app,
  github_client: clientOf(parsed),
  ...githubOf(parsed),
  ...serverOf(parsed),
  oidc_issuer: parsed.GHE_HOST ? `${parsed.GHE_PROTOCOL}://${parsed.GHE_HOST}${GHE_ISSUER_PATH}` : GITHUB_ISSUER,
  data_dir: parsed.DATA_DIR,
  api_key: parsed.API_KEY ?? null,
  default_repository: parsed.DEFAULT_REPOSITORY ?? null,
  anthropic: { api_key: parsed.ANTHROPIC_API_KEY ?? null, base_url: parsed.ANTHROPIC_BASE_URL ?? null },
  cron_secret: parsed.CRON_SECRET ?? null,
  stripe:
    parsed.STRIPE_SECRET_KEY === undefined || parsed.STRIPE_WEBHOOK_SECRET === undefined
      ? null
      : {
          secret_key: parsed.STRIPE_SECRET_KEY,
          webhook_secret: parsed.STRIPE_WEBHOOK_SECRET,
          api_url: parsed.STRIPE_API_BASE ?? null,
        },
  webhook_allow_private: parsed.WEBHOOK_ALLOW_PRIVATE,
  offers_set_up: parsed.SET_UP_PULL_REQUESTS,
  run_action: { uses: parsed.RUN_ACTION, federation: parsed.RUN_FEDERATION?.split(" ") ?? null },
  pushes_per_minute: parsed.PUSHES_PER_MINUTE,
  kept_days: keptDaysOf(parsed),
  deliveries_kept_days: parsed.KEEP_DELIVERIES_DAYS,
  quotas: {
    kept_bytes: parsed.QUOTA_KEPT_MB * MB,
    open_orders: parsed.QUOTA_OPEN_ORDERS,
    jobs_under_way: parsed.QUOTA_JOBS_UNDER_WAY,
    quotes_per_hour: parsed.QUOTA_QUOTES_PER_HOUR,
    rounds_per_day: parsed.QUOTA_ROUNDS_PER_DAY,
    accepted_jobs: parsed.QUOTA_ACCEPTED_JOBS,
  },
  account_limits: {
    day_cents: parsed.ACCOUNT_BUDGET_DAY_CENTS ?? null,
    month_cents: parsed.ACCOUNT_BUDGET_MONTH_CENTS ?? null,
  },
  llm: llmOf(parsed),
});

/** Well-formed, but of no effect on the server yet: said once at the start, so that nobody relies on one. */
const notes = (parsed: Parsed): string[] => [
  ...(parsed.GITHUB_CLIENT_ID !== undefined && parsed.PUBLIC_URL === undefined ? [NO_WAY_BACK] : []),
];

export const sentences = (error: z.ZodError): string[] =>
  error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
