/**
 * Which addresses are on the public internet: what a name that strangers chose may lead to. Otherwise they could let us
 * ask our own network. Pure; whoever connects asks here about the very address that it connects to.
 */
import ipaddr from "ipaddr.js";

/** Public IPv6 is handed out of this; what lies outside may carry an IPv4 address in a form of its own. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR("2000::/3");
/** Azure's own service for its machines, GitHub's runners among them: public by its number alone. */
const AZURE_HOST = "168.63.129.16";

const isPublicV4 = (address: ipaddr.IPv4): boolean =>
  address.range() === "unicast" && address.toString() !== AZURE_HOST;

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
