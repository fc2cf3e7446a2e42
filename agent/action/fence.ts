/**
 * The networks of a job. Open: one bridge for agent and gateway. Narrowed: the agent's network has no way out, to this
 * machine, or to a name server; the gateway alone is on it and on a bridge of its own. A network that is not as asked for
 * is refused, since older engines accept `isolated` and ignore it.
 */
import { z } from "zod";
import { lastWords, type Ran, succeeded } from "./command.ts";
import type { Docker } from "./docker.ts";
import type { Names } from "./names.ts";

/** Under this name the agent finds the gateway. */
export const GATEWAY_HOST = "gateway";

export interface Networks {
  readonly agent: readonly string[];
  readonly gateway: readonly string[];
}

export type MadeNetworks =
  | { readonly ok: true; readonly flags: Networks }
  | { readonly ok: false; readonly reason: string };

const ISOLATED = ["ipv4", "ipv6"].flatMap((ip) => ["--opt", `com.docker.network.bridge.gateway_mode_${ip}=isolated`]);

/** Whatever is left under these names. */
export async function clearAway(docker: Docker, names: Names): Promise<void> {
  await docker.call(["rm", "-f", names.agent, names.gateway]);
  await docker.call(["network", "rm", names.network, names.fence]);
}

/** What an earlier try left may have the name: asked only then, since it costs a call. */
async function create(docker: Docker, name: string, flags: readonly string[]): Promise<Ran> {
  const first = await docker.createNetwork(name, flags);
  if (succeeded(first)) return first;
  await docker.call(["network", "rm", name]);
  return docker.createNetwork(name, flags);
}

/**
 * The network that every job needs: made before the brief is known, since it takes docker a while. Containers of an
 * earlier try are gone by then.
 */
export async function openNetwork(docker: Docker, names: Names): Promise<MadeNetworks> {
  await docker.call(["rm", "-f", names.agent, names.gateway]);
  const made = await create(docker, names.network, []);
  if (!succeeded(made)) return refusal(`docker network create failed: ${lastWords(made)}`);
  return {
    ok: true,
    flags: {
      agent: ["--network", names.network],
      gateway: ["--network", names.network, "--network-alias", GATEWAY_HOST],
    },
  };
}

/** The agent's own network, where hosts are named. */
export async function fencedNetworks(docker: Docker, names: Names): Promise<MadeNetworks> {
  const made = await create(docker, names.fence, ["--internal", ...ISOLATED]);
  if (!succeeded(made)) return fenceRefusal(`docker network create failed: ${lastWords(made)}`);
  const seen = await docker.call(["network", "inspect", "--format", "{{json .IPAM.Config}}", names.fence]);
  if (!succeeded(seen)) return fenceRefusal(`docker network inspect failed: ${lastWords(seen)}`);
  if (!isIsolated(seen.stdout.toString("utf8")))
    return fenceRefusal("this Docker engine gives the network a gateway to the machine; Docker 28 or newer is needed");
  return {
    ok: true,
    flags: {
      // Names beside the gateway's are asked of nobody.
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
  reason: `The agent was not started, since its network could not be made: ${why}.`,
});

const fenceRefusal = (why: string): MadeNetworks => ({
  ok: false,
  reason: `The agent was not started, since the network that .github/journeyman.yml asks for (\`egress\`) could not be made: ${why}.`,
});
