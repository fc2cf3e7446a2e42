/** The client's address by the rule of `TRUST_PROXY`: as it is logged, and as it is counted for limits. */
import type { Request } from "express";
import ipaddr from "ipaddr.js";

/** Null: the connection is gone already. */
export const clientAddress = (request: Request): string | null => request.ip ?? null;

const IPV6_NETWORK_PARTS = 4;

/** What one client can change at will counts as one: of IPv6, whoever has one address has a network of 64 bits. */
export function countedAs(address: string | null): string {
  if (address === null || !ipaddr.isValid(address)) return "unknown";
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv6) return parsed.parts.slice(0, IPV6_NETWORK_PARTS).join(":");
  return parsed.toString();
}
