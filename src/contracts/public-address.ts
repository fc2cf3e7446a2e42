/**
 * Tells which IP addresses are on the public internet. Host names chosen by strangers may only resolve to those;
 * otherwise they could make us send requests into our own network. Pure; check the very address that the connection
 * uses.
 */
import ipaddr from "ipaddr.js";

/** All public IPv6 addresses are in this block; others can embed an IPv4 address. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR("2000::/3");
/** Azure's internal service for its virtual machines, including GitHub's runners; the address is in a public range. */
const AZURE_HOST = "168.63.129.16";

const isPublicV4 = (address: ipaddr.IPv4): boolean =>
  address.range() === "unicast" && address.toString() !== AZURE_HOST;

const v4At = (bytes: readonly number[], from: number): ipaddr.IPv4 => new ipaddr.IPv4(bytes.slice(from, from + 4));

function isPublicV6(address: ipaddr.IPv6): boolean {
  const bytes = address.toByteArray();
  switch (address.range()) {
    case "ipv4Mapped":
      return isPublicV4(address.toIPv4Address());
    // An IPv4 address as seen from an IPv6-only network.
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

/** Invalid addresses are not public. */
export function isPublic(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv4 ? isPublicV4(address) : isPublicV6(address);
}
