/**
 * Settings of the step: the inputs of action.yml, what the runner says about the run, and the environment of child
 * programs. All come from environment variables; a mistake is reported as a sentence.
 */
import { readFileSync, statSync } from "node:fs";
import * as z from "zod";
import { JOB_ID_PATTERN } from "../../src/contracts/brief.ts";
import { AGENT_IMAGE } from "../../src/contracts/publisher.ts";
import { Secret } from "../../src/contracts/secret.ts";
import { isTrusted } from "../trusted-address.ts";
import type { CacheAccess } from "./cache-service.ts";
import { type Federation, readFederation, unusedFederation } from "./federation.ts";
import type { TokenIssuer } from "./report/identity-token.ts";
import { toolVariables } from "./tool-folders.ts";

/** Secrets with this prefix are meant for the model's shell. */
const SHELL_SECRET_PREFIX = "AGENT_LLM_";
const SHELL_SECRET_NAME = /^AGENT_LLM_[A-Za-z0-9_]+$/;

/** What child programs need: PATH and the like, and proxy settings. None of these names holds a secret. */
const PROGRAM_VARIABLES = [
  ...["PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
];
/** Locates the engine and its registry credentials. */
const DOCKER_VARIABLES = [
  ...["DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION"],
  ...["XDG_RUNTIME_DIR", "SSH_AUTH_SOCK"],
];

type Environment = Readonly<Record<string, string | undefined>>;

export interface ActionSettings {
  readonly jobId: string;
  /** `job/{id}`. */
  readonly branch: string;
  readonly sha: string;
  /** More than 1: somebody has started the run again on GitHub. */
  readonly runAttempt?: number;
  /** `owner/name`. */
  readonly repository: string;
  readonly serverUrl: string;
  readonly apiUrl: string;
  readonly eventPath: string | null;
  readonly workspace: string;
  /** Below RUNNER_TEMP: it outlives the step. Of it, only a copy of files is ever mounted into a container. */
  readonly folder: string;
  readonly summaryPath: string | null;
  readonly githubToken: Secret;
  readonly image: string;
  readonly provider: {
    readonly apiKey: string;
    readonly baseUrl: string;
    /** How to sign in without a key; a string says what is wrong with that. */
    readonly federation: Federation | string | null;
    /** Why that does not count, where a key does; a sentence. */
    readonly unused: string | null;
  };
  readonly llm: { readonly provider: string; readonly model: string; readonly maxTokens: string };
  readonly shellSecrets: Readonly<Record<string, string>>;
  /** Null when the workflow has no `id-token: write` permission. */
  readonly identity: TokenIssuer | null;
  /** Null where the runner has none. */
  readonly cacheAccess: CacheAccess | null;
  readonly programs: Readonly<Record<string, string>>;
  readonly docker: Readonly<Record<string, string>>;
  /** What may name the tools of earlier steps. */
  readonly tools: Readonly<Record<string, string>>;
}

export type ReadActionSettings =
  | { readonly ok: true; readonly settings: ActionSettings }
  | { readonly ok: false; readonly reason: string };

/** The runner names an input's variable like this. */
const input = (env: Environment, name: string): string => (env[`INPUT_${name.toUpperCase()}`] ?? "").trim();

/** The values to mask before anything else is read. */
export const secretInputs = (env: Environment): string[] =>
  ["anthropic_api_key", "github_token"].map((name) => input(env, name)).filter((value) => value !== "");

const listed = (env: Environment, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));

const REPOSITORY = /^[\w.-]+\/[\w.-]+$/;
const SHA = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const BRANCH_PREFIX = "refs/heads/job/";
/** Bytes of the event that started the run. */
const EVENT_LIMIT = 16 * 1024 * 1024;

export function readActionSettings(env: Environment): ReadActionSettings {
  const ref = env.GITHUB_REF ?? "";
  const jobId = ref.startsWith(BRANCH_PREFIX) ? ref.slice(BRANCH_PREFIX.length) : "";
  if (!JOB_ID_PATTERN.test(jobId)) return { ok: false, reason: `${ref || "this run"} is not a job's branch` };
  return settingsOf(env, { jobId, branch: `job/${jobId}` });
}

const eventSchema = z.object({ repository: z.object({ default_branch: z.string() }) });

/** Null unless somebody or the App has started the workflow on the default branch, which fills the cache. */
export function readFillSettings(env: Environment): ReadActionSettings | null {
  const { GITHUB_EVENT_NAME: event, GITHUB_REF: ref = "", GITHUB_EVENT_PATH: path = "" } = env;
  if (event !== "workflow_dispatch" || JOB_ID_PATTERN.test(ref.slice(BRANCH_PREFIX.length))) return null;
  try {
    if (statSync(path).size > EVENT_LIMIT) return null;
    const { repository } = eventSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    if (ref !== `refs/heads/${repository.default_branch}`) return null;
    return settingsOf(env, {
      jobId: `cache-${(env.GITHUB_RUN_ID ?? "").replace(/\D/g, "")}`,
      branch: repository.default_branch,
    });
  } catch {
    return null;
  }
}

function settingsOf(env: Environment, { jobId, branch }: Pick<ActionSettings, "jobId" | "branch">): ReadActionSettings {
  const { GITHUB_SHA: sha = "", GITHUB_REPOSITORY: repository = "", GITHUB_SERVER_URL: serverUrl = "" } = env;
  const { GITHUB_WORKSPACE: workspace = "", RUNNER_TEMP: temp = "" } = env;
  if (!SHA.test(sha) || !REPOSITORY.test(repository) || !URL.canParse(serverUrl))
    return {
      ok: false,
      reason:
        "GITHUB_SHA, GITHUB_REPOSITORY or GITHUB_SERVER_URL is not set; run this action on a GitHub Actions runner",
    };
  if (!workspace.startsWith("/") || !temp.startsWith("/"))
    return { ok: false, reason: "GITHUB_WORKSPACE or RUNNER_TEMP is not set; run this action on a Linux runner" };
  if (workspace === "/" || workspace === env.HOME || `${temp}/`.startsWith(`${workspace}/`))
    return {
      ok: false,
      reason:
        "GITHUB_WORKSPACE is a parent of other folders of the runner; this action empties it, so it must be the workspace alone",
    };
  const image = input(env, "agent_image") || AGENT_IMAGE;
  if (image.startsWith("-")) return { ok: false, reason: "agent_image is not a valid image name" };
  return {
    ok: true,
    settings: {
      jobId,
      branch,
      sha,
      ...(env.GITHUB_RUN_ATTEMPT === undefined ? {} : { runAttempt: Number(env.GITHUB_RUN_ATTEMPT) }),
      repository,
      serverUrl: serverUrl.replace(/\/+$/, ""),
      apiUrl: (env.GITHUB_API_URL || `${serverUrl.replace(/\/+$/, "")}/api/v3`).replace(/\/+$/, ""),
      eventPath: env.GITHUB_EVENT_PATH ?? null,
      workspace,
      folder: `${temp}/journeyman`,
      summaryPath: env.GITHUB_STEP_SUMMARY ?? null,
      githubToken: new Secret(input(env, "github_token")),
      image,
      provider: providerOf(env),
      llm: {
        provider: input(env, "llm_provider"),
        model: input(env, "llm_model"),
        maxTokens: input(env, "llm_max_tokens"),
      },
      shellSecrets: shellSecretsOf(env),
      identity: identityOf(env),
      cacheAccess: cacheAccessOf(env),
      programs: listed(env, PROGRAM_VARIABLES),
      docker: listed(env, [...PROGRAM_VARIABLES, ...DOCKER_VARIABLES]),
      tools: toolVariables(env),
    },
  };
}

function providerOf(env: Environment): ActionSettings["provider"] {
  const apiKey = input(env, "anthropic_api_key");
  const baseUrl = input(env, "anthropic_base_url");
  const inputs = { input: (name: string) => input(env, name), apiKey, baseUrl, issuer: identityOf(env) };
  return { apiKey, baseUrl, federation: readFederation(inputs), unused: unusedFederation(inputs) };
}

function shellSecretsOf(env: Environment): Record<string, string> {
  const found = Object.entries(env).filter(([name]) => name.startsWith(SHELL_SECRET_PREFIX));
  return Object.fromEntries(
    found.flatMap(([name, value]) => (SHELL_SECRET_NAME.test(name) && value ? [[name, value]] : [])),
  );
}

function identityOf(env: Environment): ActionSettings["identity"] {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer = "" } = env;
  return bearer !== "" && isTrusted(url) ? { url, bearer: new Secret(bearer) } : null;
}

function cacheAccessOf(env: Environment): CacheAccess | null {
  const { ACTIONS_RESULTS_URL: url = "", ACTIONS_RUNTIME_TOKEN: bearer = "" } = env;
  return bearer !== "" && isTrusted(url) ? { url, bearer: new Secret(bearer) } : null;
}
