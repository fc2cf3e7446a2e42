/** Checks a request's Origin and similar headers; only this site's own is accepted. */
import type { IncomingHttpHeaders } from "node:http";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** The same host and port under another name: people type `localhost`, and editors forward ports. */
function isOwn(origin: string, own: string): boolean {
  if (origin === own) return true;
  if (!URL.canParse(origin)) return false;
  const [given, known] = [new URL(origin), new URL(own)];
  return LOOPBACK.includes(given.hostname) && given.port === known.port && given.protocol === known.protocol;
}

/** Pages of other sites must not be able to act here. */
export const isForeign = ({ origin }: IncomingHttpHeaders, own: string): boolean =>
  origin !== undefined && !isOwn(origin, own);

/** The path of this site that is meant; anything that could leave the site becomes `/`. */
export function pathHere(given: string | undefined | null): string {
  const site = "http://sandbox";
  if (!given || !URL.canParse(given, site)) return "/";
  const { pathname } = new URL(given, site);
  return pathname.startsWith("//") ? "/" : pathname;
}
