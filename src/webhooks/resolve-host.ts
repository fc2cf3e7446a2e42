/**
 * From a host's name to the addresses that may be connected to. The system's own look-up waits in the pool of threads
 * that the disk's flushes need too, so the name servers are asked directly and the system only for what they do not know,
 * few at a time. Every answer is checked before it is used.
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
/** A connection is kept longer than that; this is for the many that a burst opens. */
const KEPT_MS = 10_000;
const MOST_KEPT = 1_000;

export const NOT_PUBLIC = "ERR_NOT_PUBLIC";

export const notPublic = (host: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${host} is not on the public internet`), { code: NOT_PUBLIC });

/** All addresses of a name; rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Names without a dot are known to this machine alone, such as localhost. */
const isLocalName = (host: string): boolean => !host.replace(/\.$/, "").includes(".");

export function createResolve(): Resolve {
  const servers = new dns.promises.Resolver(NAME_SERVER);
  const few = pLimit(SYSTEM_LOOKUPS);
  const known = new LRUCache<string, Promise<readonly LookupAddress[]>>({ max: MOST_KEPT, ttl: KEPT_MS });

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

/** What a socket resolves names with: a name that leads to private addresses alone leads nowhere. */
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
