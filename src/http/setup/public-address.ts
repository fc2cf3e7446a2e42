/** The address at which a server is reached from outside, as somebody types it. */
import ipaddr from "ipaddr.js";
import { isPublic } from "../../contracts/public-address.ts";

export const MAX_ADDRESS_LENGTH = 200;

/** Endings of names that mean something in one network alone. */
const LOCAL_ENDINGS = [".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid"];

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

function isLoopback(hostname: string): boolean {
  if (hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  const host = bare(hostname);
  return ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback";
}

/** Whether nobody on the internet finds this host; a name may still lead there, which only who asks for it sees. */
export function isUnreachable(address: string): boolean {
  const { hostname } = new URL(address);
  const host = bare(hostname);
  if (ipaddr.isValid(host)) return !isPublic(host);
  return !host.includes(".") || LOCAL_ENDINGS.some((ending) => host.endsWith(ending));
}

export const hasLoopbackHost = (address: string): boolean => isLoopback(new URL(address).hostname);

const NOT_AN_ADDRESS = "The public address must be one such as https://journeyman.example.com.";
const NOT_HTTPS =
  "The public address must begin with https://, since secrets travel to it; http:// goes with localhost alone.";
const MORE_THAN_A_HOST = "The public address must be a host and no more: no path, query, user or password.";

/** The origin in this text, or a sentence about what is wrong with it. */
export function readPublicAddress(text: string): { readonly address: string } | { readonly sentence: string } {
  const typed = text.trim();
  if (typed.length > MAX_ADDRESS_LENGTH || !/^https?:\/\//i.test(typed) || !URL.canParse(typed))
    return { sentence: NOT_AN_ADDRESS };
  const url = new URL(typed);
  if (url.protocol === "http:" && !isLoopback(url.hostname)) return { sentence: NOT_HTTPS };
  const more = url.username !== "" || url.password !== "" || url.pathname !== "/" || /[?#]/.test(typed);
  return more ? { sentence: MORE_THAN_A_HOST } : { address: url.origin };
}
