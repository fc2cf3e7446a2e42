/**
 * Where webhooks may go: addresses of the public internet, nothing else. Whoever may choose a target could otherwise let
 * this server ask its own network. Pure; whoever connects asks here about the very address that it connects to.
 */
import ipaddr from "ipaddr.js";

/** Public IPv6 is handed out of this; what lies outside may carry an IPv4 address in a form of its own. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR("2000::/3");

const isPublicV4 = (address: ipaddr.IPv4): boolean => address.range() === "unicast";

const v4At = (bytes: readonly number[], from: number): ipaddr.IPv4 => new ipaddr.IPv4(bytes.slice(from, from + 4));

function isPublicV6(address: ipaddr.IPv6): boolean {
  const bytes = address.toByteArray();
  switch (address.range()) {
    case "ipv4Mapped":
      return isPublicV4(address.toIPv4Address());
    // an IPv4 address as a network without IPv4 reaches it
    case "rfc6052":
      return isPublicV4(v4At(bytes, 12)) && bytes[4] === 0 && bytes[5] === 0;
    case "6to4":
      return isPublicV4(v4At(bytes, 2));
    case "unicast":
      return address.match(GLOBAL_V6);
    default:
      return false;
  }
}

/** What is no address is not public. */
export function isPublic(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv4 ? isPublicV4(address) : isPublicV6(address);
}

/** The host of a URL as a connection takes it: an IPv6 address has no brackets there. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1");

const MAX_URL_LENGTH = 2_000;
/** Names that never lead to the internet. */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|home\.arpa)\.?$/i;

export interface TargetRules {
  /** For development: any address, and http too. */
  readonly allow_private: boolean;
}

/** Why nothing can be sent there, in words that go on after the field's name; null: something can. */
export function targetMistake(text: string, { allow_private }: TargetRules): string | null {
  if (text.length > MAX_URL_LENGTH) return `must have at most ${MAX_URL_LENGTH} characters.`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const schemes = allow_private ? ["https:", "http:"] : ["https:"];
  if (url === null || !schemes.includes(url.protocol))
    return `must be a URL that begins with https://${allow_private ? " or http://" : ""}.`;
  if (url.username !== "" || url.password !== "")
    return "must hold no user name or password; put a token into its path.";
  if (url.port === "0") return "must have a port from 1 to 65535.";
  if (allow_private) return null;
  const host = hostOf(url);
  if (LOCAL_NAME.test(host) || (ipaddr.isValid(host) && !isPublic(host)))
    return "must lead to the public internet; private and loopback addresses are refused.";
  return null;
}
