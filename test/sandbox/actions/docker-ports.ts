/**
 * Maps ports of played containers. Real containers have all ports to themselves; here they share this machine's. So a
 * port that one container listens on, and that another on its network connects to, becomes one free port, whichever
 * starts first.
 */

import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import type { ContainerPlan, JoinedNetwork } from "./docker-args.ts";

const ADDRESS = "127.0.0.1";
/** A variable that holds the address its container listens on. */
const LISTENS = /_PORT$/;
/** A name without a dot can only be another container. */
const GOES = /^http:\/\/([a-z][a-z0-9_-]*):(\d+)$/;

/** The plan's variables with ports mapped to this machine. */
export async function mapPorts(state: string, plan: ContainerPlan): Promise<Record<string, string>> {
  const own = plan.networks.find(({ aliases }) => aliases.length > 0);
  const [network] = plan.networks;
  const mapped = Object.entries(plan.env).map(async ([name, value]): Promise<[string, string]> => {
    const [, host, port] = GOES.exec(value) ?? [];
    if (network && host !== undefined && port !== undefined && host !== "localhost")
      return [name, `http://${ADDRESS}:${await portOf(state, network, host, port)}`];
    const [alias] = own?.aliases ?? [];
    if (own && alias !== undefined && LISTENS.test(name) && Number(value) > 0)
      return [name, await portOf(state, own, alias, value)];
    return [name, value];
  });
  return Object.fromEntries(await Promise.all(mapped));
}

async function portOf(state: string, network: JoinedNetwork, host: string, port: string): Promise<string> {
  const folder = join(state, "ports");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${network.name}.${host}.${port}`.replaceAll(/[^\w.-]/g, "_"));
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  writeFileSync(draft, String(await freePort()));
  try {
    // the first one wins, and the file is complete at once
    linkSync(draft, file);
  } catch {
    // another container created it first
  } finally {
    rmSync(draft);
  }
  return readFileSync(file, "utf8");
}
