/**
 * Runs the two containers of a job. The agent holds no secrets but those meant for the model's shell; the gateway holds
 * the provider's key and forwards model calls. Starts both, stops both, and explains a failure that the agent could not
 * report itself.
 */

import type { Readable } from "node:stream";
import { IDENTITY_TOKEN_WANTED } from "../../src/contracts/gateway.ts";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import { head } from "../../src/text/text.ts";
import { proxyForContainers } from "../runner-proxy.ts";
import { rowsOf } from "./agent-output.ts";
import type { AgentPlace } from "./agent-place.ts";
import type { ActionBrief } from "./brief.ts";
import type { Names } from "./container-names.ts";
import type { Docker, Running } from "./docker.ts";
import { type Federation, sendIdentityToken } from "./federation.ts";
import { GATEWAY_HOST, type Networks } from "./network-fence.ts";
import { AGENT_UID } from "./ownership.ts";
import type { ActionSettings } from "./settings.ts";

const GATEWAY_PORT = 8080;
const GATEWAY_URL = `http://${GATEWAY_HOST}:${GATEWAY_PORT}`;
const GATEWAY_UID = AGENT_UID + 1;
/** Docker's exit code for its own errors. */
const DOCKER_FAILED = 125;
/** How long after its own time limit the agent counts as hung. */
const HANG_MS = 2 * 60_000;
const KILL_AFTER_MS = 60_000;
/** GitHub ends a cancelled run within 7 s: the agent gets this long to write its result, docker the rest. */
const RESULT_GRACE_MS = 4_500;
const REMOVE_LIMIT_MS = 1_500;
const GATEWAY_GONE_MS = 10_000;

export interface ContainerParts {
  readonly docker: Docker;
  readonly names: Names;
  readonly settings: ActionSettings;
  readonly brief: ActionBrief;
  readonly networks: Networks;
  readonly show: (text: string) => void;
}

export interface GatewayParts extends ContainerParts {
  /** For what is secret from now on. */
  readonly mask: (secret: string) => void;
}

export interface Gateway {
  readonly running: Running;
  /** The last row of its output. */
  readonly lastRow: Promise<string>;
}

export interface ContainerPorts extends ContainerParts {
  readonly gateway: Gateway;
  readonly place: AgentPlace;
  /** Reads the agent's stdout to its end. */
  readonly follow: (stdout: Readable) => Promise<void>;
  readonly cancelled: AbortSignal;
}

export interface Ended {
  readonly code: number;
  /** Null when the agent's own result says how it ended. */
  readonly failure: string | null;
  /** Whether that is so because Docker could not get an image. */
  readonly image_missing: boolean;
}

/** Starts before the checkout is filled: the agent waits for the gateway, and the gateway waits for nothing. */
export function startGateway({ docker, names, settings, brief, networks, show, mask }: GatewayParts): Gateway {
  const { apiKey, baseUrl, federation } = settings.provider;
  const keyless = federation === null || typeof federation === "string" ? null : federation;
  const { egress, limits, llm } = brief;
  const running = docker.start({
    name: names.gateway,
    image: settings.image,
    user: `${GATEWAY_UID}:${GATEWAY_UID}`,
    entrypoint: "gateway",
    flags: ["--read-only", "--pids-limit", "64", "--memory", "512m", ...networks.gateway],
    interactive: keyless !== null,
    env: {
      ...(apiKey === "" ? {} : { ANTHROPIC_API_KEY: apiKey }),
      ...(baseUrl === "" ? {} : { ANTHROPIC_BASE_URL: baseUrl }),
      ...keyless?.variables,
      ...proxyForContainers(settings.programs),
      GATEWAY_PORT: String(GATEWAY_PORT),
      LLM_MODEL: modelOf(llm, settings.llm.model),
      LLM_MAX_COST_CENTS: String(limits.cost_cents),
      ...(brief.budgeted === true ? { LLM_BUDGETED: "true" } : {}),
      ...(egress === null ? {} : { EGRESS_ALLOWED: egress.join(" ") }),
    },
  });
  // Read from the start: output that nobody reads is lost when the process ends.
  const handle = keyless === null ? undefined : identityRequestHandler(running, keyless, mask);
  const words = [running.stdout, running.stderr].map((stream) => showRows(stream, "gateway", show, handle));
  const lastRow = Promise.all(words).then((both) => both.findLast((row) => row !== "") ?? "");
  return { running, lastRow };
}

/** Answers one request after the other. */
function identityRequestHandler({ stdin }: Running, { issuer }: Federation, mask: GatewayParts["mask"]) {
  let last = Promise.resolve();
  return (row: string): boolean => {
    if (row !== IDENTITY_TOKEN_WANTED) return false;
    // The gateway asks again for what it was not given.
    last = last.then(() => sendIdentityToken({ issuer, input: stdin, mask })).catch(() => {});
    return true;
  };
}

/** Must choose the same model as the agent does from brief and variables. */
function modelOf({ model, named_by }: ActionBrief["llm"], variable: string): string {
  if (model === undefined || named_by?.model === "server") return variable || model || DEFAULT_MODEL;
  return model;
}

function startAgent({ docker, names, settings, brief, networks, place }: ContainerPorts): Running {
  const { provider, model, maxTokens } = settings.llm;
  const given = { LLM_PROVIDER: provider, LLM_MODEL: model, LLM_MAX_TOKENS: maxTokens };
  return docker.start({
    ...place,
    name: names.agent,
    user: `${AGENT_UID}:${AGENT_UID}`,
    // Without --init: the image has its own init, which the model's shell cannot read.
    flags: [
      ...["--pids-limit", "512", "--memory", "4g", ...networks.agent, ...place.flags],
      ...["-v", `${settings.workspace}:/workspace`, "-w", "/workspace"],
    ],
    env: {
      JOB_ID: settings.jobId,
      ...place.env,
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "")),
      LOG_FORMAT: "json",
      MODEL_GATEWAY: GATEWAY_URL,
      ...(brief.egress === null ? {} : { EGRESS_PROXY: GATEWAY_URL }),
      ...settings.shellSecrets,
    },
  });
}

/** Shows each row and keeps the last one. `handle` returns true for a row that is a request and not for people. */
async function showRows(
  input: Readable,
  name: string,
  show: (text: string) => void,
  handle: (row: string) => boolean = () => false,
): Promise<string> {
  let last = "";
  for await (const row of rowsOf(input)) {
    if (handle(row)) continue;
    if (row.trim() !== "") last = row.trim();
    show(`${name} | ${row}`);
  }
  return last;
}

export async function runContainers(ports: ContainerPorts): Promise<Ended> {
  const { docker, names, show, follow, cancelled, brief, gateway } = ports;
  const agent = startAgent(ports);
  const agentWords = showRows(agent.stderr, "agent", show);
  const followed = follow(agent.stdout);
  const clocks: NodeJS.Timeout[] = [];
  const later = (ms: number, work: () => void): void => void clocks.push(setTimeout(work, ms));
  const remove = (): void => void docker.call(["rm", "-f", names.agent, names.gateway], REMOVE_LIMIT_MS);
  const end = (ms: number): void => {
    agent.signal("SIGTERM");
    later(ms, remove);
  };
  const cancel = (): void => end(RESULT_GRACE_MS);
  cancelled.addEventListener("abort", cancel, { once: true });
  if (cancelled.aborted) cancel();
  later(minutesOf(brief) * 60_000 + HANG_MS, () => end(KILL_AFTER_MS));

  const first = await Promise.race([agent.ended.then(() => "agent"), gateway.running.ended.then(() => "gateway")]);
  const gatewayFirst = first === "gateway" && !cancelled.aborted;
  if (gatewayFirst) end(GATEWAY_GONE_MS);
  const code = await agent.ended;
  await followed;
  for (const clock of clocks) clearTimeout(clock);
  cancelled.removeEventListener("abort", cancel);
  gateway.running.signal("SIGTERM");
  const failure = gatewayFirst
    ? `The gateway to the model ended before the agent${tail(await gateway.lastRow)}.`
    : code === DOCKER_FAILED
      ? `The agent's container could not be started${tail(await agentWords)}.`
      : null;
  // The cancel reached docker before it reached the agent.
  if (cancelled.aborted) return { code: 1, failure: failure ?? "The run was cancelled.", image_missing: false };
  const byDocker = gatewayFirst ? await gateway.running.ended : code;
  const image_missing = byDocker === DOCKER_FAILED && (await docker.lacksImage(ports.settings.image));
  return { code: failure === null ? (code ?? 1) : 1, failure, image_missing };
}

const MAX_TAIL = 300;
const tail = (words: string): string => {
  const plain = head(words.replace(/[\p{C}\s]+/gu, " ").trim(), MAX_TAIL);
  return plain === "" ? "" : `: ${plain.replace(/\.$/, "")}`;
};

/** The brief sets its own limit in minutes, within the limit of an Actions job. */
const MAX_MINUTES = 340;
const minutesOf = ({ limits }: ActionBrief): number => Math.min(limits.minutes, MAX_MINUTES);
