/**
 * The agent's settings; no other file here reads the environment. An empty variable counts as unset, since workflows
 * pass undefined variables as empty ones.
 */
import { resolve } from "node:path";
import * as z from "zod";
import { JOB_ID_PATTERN } from "../src/contracts/brief.ts";
import type { RunVariables } from "../src/contracts/model-source.ts";
import { TOOLCHAIN_VARIABLE, type Toolchain, toolchainSchema } from "../src/contracts/toolchain.ts";
import { parseForeignJson } from "../src/text/json-bounds.ts";
import { proxyEnvironment } from "./provider/http-agent.ts";

/** Secrets with this prefix are meant for the model's shell; the agent keeps all others. */
const SHELL_SECRET_PREFIX = "AGENT_LLM_";

/** Variables that the shell inherits from the agent; a toolchain adds its own. No others are passed. */
const SHELL_ALLOWED = [
  "PATH",
  "LANG",
  "LC_ALL",
  "TZ",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
];

const set = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text.trim() === "" ? undefined : text.trim()));

const environmentSchema = z.object({
  JOB_ID: set.pipe(z.string({ error: "JOB_ID is not set" }).regex(JOB_ID_PATTERN, "JOB_ID is not the id of a job")),
  WORKSPACE: set,
  ANTHROPIC_API_KEY: set,
  ANTHROPIC_BASE_URL: set.pipe(z.url({ error: "ANTHROPIC_BASE_URL is not an address" }).optional()),
  MODEL_GATEWAY: set.pipe(z.url({ protocol: /^http$/, error: "MODEL_GATEWAY is not an address" }).optional()),
  EGRESS_PROXY: set.pipe(z.url({ protocol: /^http$/, error: "EGRESS_PROXY is not an address" }).optional()),
  LOG_FORMAT: set
    .transform((name) => name ?? "plain")
    .pipe(z.enum(["plain", "json"], { error: "LOG_FORMAT is plain or json" })),
  LLM_PROVIDER: set.transform((name) => name ?? null),
  LLM_MODEL: set.transform((name) => name ?? null),
  [TOOLCHAIN_VARIABLE]: set
    .transform((text) => (text === undefined ? {} : parseForeignJson(text)))
    .pipe(toolchainSchema),
  LLM_MAX_TOKENS: set
    .transform((text) => (text === undefined ? null : Number(text)))
    .pipe(z.number({ error: "LLM_MAX_TOKENS is not a number" }).int().positive().nullable()),
});

export interface Settings {
  readonly jobId: string;
  /** Absolute path of the checkout. */
  readonly workspace: string;
  /** The gateway's address. Null: the agent has the key itself, from a workflow without a gateway. */
  readonly gateway: string | null;
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  /** The only way out when the repository's settings restrict the network. */
  readonly proxy: string | null;
  /** How the log appears on stdout: for people, or for the log uploader. */
  readonly logFormat: "plain" | "json";
  /** Used when neither job nor settings file names a model. */
  readonly llm: RunVariables;
  /** The tools of earlier steps of the workflow, and the C library that they need. */
  readonly toolchain: Pick<Toolchain, "tools" | "c_library" | "cached">;
  /** The complete environment of the model's shell, except HOME and the like. */
  readonly shellEnvironment: Readonly<Record<string, string>>;
  /** Values that must not appear in any text that leaves the run. */
  readonly secrets: readonly string[];
}

export type ReadSettings = { readonly ok: true; readonly settings: Settings } | { readonly ok: false; reason: string };

/** Returns all mistakes at once, in words. */
export function readSettings(environment: NodeJS.ProcessEnv, currentFolder: string): ReadSettings {
  const read = environmentSchema.safeParse(environment);
  if (!read.success) return { ok: false, reason: read.error.issues.map((issue) => issue.message).join("; ") };
  const shellSecrets = Object.entries(environment).filter(([name]) => name.startsWith(SHELL_SECRET_PREFIX));
  const shellEnvironment: Record<string, string> = {};
  for (const [name, value] of [...SHELL_ALLOWED.map((name) => [name, environment[name]] as const), ...shellSecrets]) {
    if (value !== undefined && value !== "") shellEnvironment[name] = value;
  }
  const { [TOOLCHAIN_VARIABLE]: toolchain } = read.data;
  Object.assign(shellEnvironment, toolEnvironment(toolchain, shellEnvironment));
  const { ANTHROPIC_API_KEY: key, MODEL_GATEWAY: gateway = null, EGRESS_PROXY: proxy = null } = read.data;
  if (proxy !== null) Object.assign(shellEnvironment, proxyEnvironment(proxy));
  return {
    ok: true,
    settings: {
      jobId: read.data.JOB_ID,
      workspace: resolve(read.data.WORKSPACE ?? currentFolder),
      gateway,
      apiKey: key,
      baseUrl: read.data.ANTHROPIC_BASE_URL,
      proxy,
      logFormat: read.data.LOG_FORMAT,
      llm: {
        provider: read.data.LLM_PROVIDER,
        model: read.data.LLM_MODEL,
        max_tokens: read.data.LLM_MAX_TOKENS,
      },
      toolchain,
      shellEnvironment,
      secrets: [...(key === undefined ? [] : [key]), ...shellSecrets.map(([, value]) => value ?? "")],
    },
  };
}

/** Belong to the shell itself. */
const SHELL_OWN = ["HOME", "PWD", "OLDPWD", "SHLVL", "BASH_ENV", "ENV", "USER", "LOGNAME"];

function toolEnvironment(
  { variables, home, path_before, path_after }: Toolchain,
  { PATH = "" }: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = Object.entries(variables).filter(
    ([name]) => !SHELL_OWN.includes(name) && !name.startsWith(SHELL_SECRET_PREFIX),
  );
  const path = [...path_before, variables.PATH ?? PATH, ...path_after].filter((part) => part !== "");
  return {
    ...Object.fromEntries(own),
    ...(home === null ? {} : { HOME: home }),
    ...(path.length === 0 ? {} : { PATH: path.join(":") }),
  };
}
