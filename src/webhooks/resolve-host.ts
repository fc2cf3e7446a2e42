/**
 * Resolves host names to addresses that may be connected to. The system's resolver blocks threads of the pool that disk
 * flushes need, so DNS servers are queried directly and the system resolver only for names that they do not know, few
 * at a time. Every address is checked.
 */

import type { LookupAddress } from "node:dns";
import dns from "node:dns";
import type { LookupFunction } from "node:net";
import { LRUCache } from "lru-cache";
import pLimit from "p-limit";
import { isPublic } from "../contracts/public-address.ts";

/** Of the pool's four threads. */
const SYSTEM_LOOKUPS = 2;
const NAME_SERVER = { timeout: 2_000, tries: 2 };
/** For bursts of new connections; kept connections live longer. */
const KEPT_MS = 10_000;
const MAX_CACHED = 1_000;

export const NOT_PUBLIC = "ERR_NOT_PUBLIC";

export const notPublic = (host: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${host} is not on the public internet`), { code: NOT_PUBLIC });

/** All addresses of a name; rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Names without a dot, such as localhost, are known only to this machine. */
const isLocalName = (host: string): boolean => !host.replace(/\.$/, "").includes(".");

export function createResolve(): Resolve {
  const servers = new dns.promises.Resolver(NAME_SERVER);
  const few = pLimit(SYSTEM_LOOKUPS);
  const known = new LRUCache<string, Promise<readonly LookupAddress[]>>({ max: MAX_CACHED, ttl: KEPT_MS });

  const system = (host: string): Promise<LookupAddress[]> => few(() => dns.promises.lookup(host, { all: true }));

  const ask = async (host: string): Promise<readonly LookupAddress[]> => {
    if (isLocalName(host)) return system(host);
    const answers = await Promise.allSettled([servers.resolve4(host), servers.resolve6(host)]);
    const found = answers.flatMap((answer, index) =>
      answer.status === "fulfilled" ? answer.value.map((address) => ({ address, family: index === 0 ? 4 : 6 })) : [],
    );
    return found.length > 0 ? found : system(host);
  };

  return (host) => {
    const before = known.get(host);
    if (before !== undefined) return before;
    const asked = ask(host);
    known.set(host, asked);
    asked.catch(() => known.delete(host));
    return asked;
  };
}

/** A lookup function for sockets; a name with only private addresses fails. */
export const guardedLookup =
  (resolve: Resolve, allow_private: boolean): LookupFunction =>
  (host, options, callback) => {
    const wanted = options.family === 4 || options.family === 6 ? options.family : null;
    resolve(host).then(
      (all) => {
        const mine = all.filter(({ family }) => wanted === null || family === wanted);
        const good = allow_private ? mine : mine.filter(({ address }) => isPublic(address));
        const [first] = good;
        if (first === undefined) callback(notPublic(host), "", 0);
        else if (options.all) callback(null, good);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
