/**
 * Creates the job's networks. Open: agent and gateway share one bridge. Fenced: the agent's network reaches neither the
 * internet, nor this machine, nor a name server; only the gateway joins it and a bridge of its own. Inspects the
 * network afterwards, since older engines accept `isolated` and ignore it.
 */
import * as z from "zod";
import type { Names } from "./container-names.ts";
import type { Docker } from "./docker.ts";
import { type CommandResult, errorTail, succeeded } from "./run-command.ts";

/** The gateway's host name, as the agent sees it. */
export const GATEWAY_HOST = "gateway";

export interface Networks {
  readonly agent: readonly string[];
  readonly gateway: readonly string[];
}

export type MadeNetworks =
  | { readonly ok: true; readonly flags: Networks }
  | { readonly ok: false; readonly reason: string };

const ISOLATED = ["ipv4", "ipv6"].flatMap((ip) => ["--opt", `com.docker.network.bridge.gateway_mode_${ip}=isolated`]);

/** Removes what is left under these names. */
export async function removeLeftovers(docker: Docker, names: Names): Promise<void> {
  await docker.call(["rm", "-f", names.agent, names.gateway]);
  await docker.call(["network", "rm", names.network, names.fence]);
}

/**
 * A network left by an earlier attempt may hold the name. It is only removed after a failure, since the removal costs a
 * call.
 */
async function create(docker: Docker, name: string, flags: readonly string[]): Promise<CommandResult> {
  const first = await docker.createNetwork(name, flags);
  if (succeeded(first)) return first;
  await docker.call(["network", "rm", name]);
  return docker.createNetwork(name, flags);
}

/**
 * Creates the bridge that every job needs. Docker takes a while, so this starts before the brief is read. Containers of
 * an earlier attempt are gone by then.
 */
export async function openNetwork(docker: Docker, names: Names): Promise<MadeNetworks> {
  await docker.call(["rm", "-f", names.agent, names.gateway]);
  const made = await create(docker, names.network, []);
  if (!succeeded(made)) return refusal(`docker network create failed: ${errorTail(made)}`);
  return {
    ok: true,
    flags: {
      agent: ["--network", names.network],
      gateway: ["--network", names.network, "--network-alias", GATEWAY_HOST],
    },
  };
}

/** The agent's own network, for jobs whose settings list the allowed hosts. */
export async function fencedNetworks(docker: Docker, names: Names): Promise<MadeNetworks> {
  const made = await create(docker, names.fence, ["--internal", ...ISOLATED]);
  if (!succeeded(made)) return fenceRefusal(`docker network create failed: ${errorTail(made)}`);
  const seen = await docker.call(["network", "inspect", "--format", "{{json .IPAM.Config}}", names.fence]);
  if (!succeeded(seen)) return fenceRefusal(`docker network inspect failed: ${errorTail(seen)}`);
  if (!isIsolated(seen.stdout.toString("utf8")))
    return fenceRefusal("this Docker engine connects the network to the machine; install Docker 28 or newer");
  return {
    ok: true,
    flags: {
      // Only the gateway's name resolves.
      agent: ["--network", names.fence, "--dns", "127.0.0.1"],
      gateway: ["--network", `name=${names.fence},alias=${GATEWAY_HOST}`, "--network", names.network],
    },
  };
}

const pools = z.array(z.object({ Gateway: z.string().optional() })).min(1);

function isIsolated(text: string): boolean {
  try {
    return pools.parse(JSON.parse(text)).every(({ Gateway }) => Gateway === undefined || Gateway === "");
  } catch {
    return false;
  }
}

const refusal = (why: string): MadeNetworks => ({
  ok: false,
  reason: `The agent was not started because its network could not be created: ${why}.`,
});

const fenceRefusal = (why: string): MadeNetworks => ({
  ok: false,
  reason: `The agent was not started because the restricted network (\`egress\` in .github/journeyman.yml) could not be created: ${why}.`,
});
