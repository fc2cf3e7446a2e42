/** Which hosts and ports may be asked for, and the sentence for those that may not. Pure: no name is looked up here. */
import { isIP } from "node:net";
import { head } from "../../src/text/text.ts";

const PORTS: readonly number[] = [80, 443];

export interface Target {
  readonly host: string;
  readonly port: number;
}

export type Passage =
  /** `anywhere`: whoever runs the workflow chose this very host, so its address is not judged. */
  { readonly ok: true; readonly anywhere: boolean } | { readonly ok: false; readonly reason: string };

export type AllowList = (target: Target) => Passage;

const HOW_TO_ADD = "to let jobs reach it, add it to `egress` in .github/journeyman.yml on the default branch";

/** As names are compared: a trailing dot is the same name, and an IPv6 address stands without brackets. */
export const plainHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");

/** Names come from whatever the model runs, and go into logs. */
const shown = (host: string): string => head(host.replace(/[^a-z0-9.:*_-]/g, "?"), 253);

const refused = (reason: string): Passage => ({ ok: false, reason });

/** Web addresses write IPv4 in many ways; a name's last label has a letter that is no part of a number. */
const isAddress = (host: string): boolean => isIP(host) !== 0 || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host);

/**
 * `hosts`: names, `*.` in front for what lies below one. `provider`: let through at its own port alone, for an agent that
 * has no gateway.
 */
export function createAllowList(hosts: readonly string[], provider: Target | null = null): AllowList {
  const exact = new Set(hosts.map(plainHost).filter((host) => !host.startsWith("*.")));
  const below = hosts.map(plainHost).flatMap((host) => (host.startsWith("*.") ? [host.slice(1)] : []));
  const providerHost = provider === null ? null : plainHost(provider.host);

  return (target) => {
    const host = plainHost(target.host);
    if (host === providerHost && target.port === provider?.port) return { ok: true, anywhere: true };
    const name = shown(host);
    if (isAddress(host)) return refused(`${name} is an address; hosts are let through by their names alone`);
    const listed = exact.has(host) || below.some((end) => host.endsWith(end) && host.length > end.length);
    if (!listed && host === providerHost)
      return refused(`${name} is let through at port ${provider?.port} alone, for the model`);
    if (!listed) return refused(`${name} is not among the hosts that jobs may reach; ${HOW_TO_ADD}`);
    if (!PORTS.includes(target.port))
      return refused(`${name} may be reached at ports ${PORTS.join(" and ")}, not at ${target.port}`);
    return { ok: true, anywhere: false };
  };
}
