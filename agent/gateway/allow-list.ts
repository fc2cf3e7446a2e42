/** Decides which hosts and ports may be reached, and phrases the refusals. Pure: resolves no names. */
import { isIP } from "node:net";
import { head } from "../../src/text/text.ts";

const PORTS: readonly number[] = [80, 443];

export interface Target {
  readonly host: string;
  readonly port: number;
}

export type AllowDecision =
  /** `anywhere`: the workflow's owner chose this host, so its address may be private. */
  { readonly ok: true; readonly anywhere: boolean } | { readonly ok: false; readonly reason: string };

export type AllowList = (target: Target) => AllowDecision;

const HOW_TO_ADD = "to allow it, add it to `egress` in .github/journeyman.yml on the default branch";

/** Normalises a name for comparison: no trailing dot, no brackets around IPv6. */
export const plainHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");

/** Names come from programs that the model runs and go into logs. */
const shown = (host: string): string => head(host.replace(/[^a-z0-9.:*_-]/g, "?"), 253);

const refused = (reason: string): AllowDecision => ({ ok: false, reason });

/** URLs write IPv4 addresses in many ways. In a host name, the last label is never numeric. */
const isAddress = (host: string): boolean => isIP(host) !== 0 || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host);

/**
 * `hosts`: names; a leading `*.` allows every name below. `provider`: allowed at its own port only, for an agent
 * without a gateway.
 */
export function createAllowList(hosts: readonly string[], provider: Target | null = null): AllowList {
  const exact = new Set(hosts.map(plainHost).filter((host) => !host.startsWith("*.")));
  const below = hosts.map(plainHost).flatMap((host) => (host.startsWith("*.") ? [host.slice(1)] : []));
  const providerHost = provider === null ? null : plainHost(provider.host);

  return (target) => {
    const host = plainHost(target.host);
    if (host === providerHost && target.port === provider?.port) return { ok: true, anywhere: true };
    const name = shown(host);
    if (isAddress(host)) return refused(`${name} is an IP address; only host names can be allowed`);
    const listed = exact.has(host) || below.some((end) => host.endsWith(end) && host.length > end.length);
    if (!listed && host === providerHost)
      return refused(`${name} is allowed at port ${provider?.port} only, for the model`);
    if (!listed) return refused(`${name} is not an allowed host; ${HOW_TO_ADD}`);
    if (!PORTS.includes(target.port))
      return refused(`${name} is allowed at ports ${PORTS.join(" and ")}, not at ${target.port}`);
    return { ok: true, anywhere: false };
  };
}
