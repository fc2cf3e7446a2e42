/**
 * Slows down brute force: counts wrong keys for each address and refuses further requests from one with too many, except
 * for keys that were good from there before, so that one misconfigured client does not lock out others behind the same
 * address. A good key on a connection that has used it before costs neither an address nor a time look-up.
 */
import type { Socket } from "node:net";
import type { Request } from "express";
import { LRUCache } from "lru-cache";
import { failure, type HttpResult } from "../routing/answer.ts";
import { clientAddress, countedAs } from "../server/client-address.ts";

export const WRONG_KEYS_PER_MINUTE = 20;
const WINDOW_MS = 60_000;
/** Addresses that are counted at once, and good keys with where they came from; what falls out begins anew. */
const MAX_ADDRESSES = 10_000;
const MAX_KNOWN = 10_000;

export interface AuthThrottle {
  /** The answer for an address with too many wrong keys; null: go on. `digest`: of the key, null without one. */
  refusal(request: Request, digest: string | null): HttpResult | null;
  failed(request: Request): void;
  succeeded(request: Request, digest: string): void;
}

/** What was last good on a connection; behind a proxy, for whom. */
interface Mark {
  readonly digest: string;
  readonly forwarded: string | string[] | undefined;
}

export function createAuthThrottle(now: () => number): AuthThrottle {
  // `max` would allocate room for all of them at once
  const wrong = new LRUCache<string, number>({ maxSize: MAX_ADDRESSES, sizeCalculation: () => 1 });
  const known = new LRUCache<string, true>({ maxSize: MAX_KNOWN, sizeCalculation: () => 1 });
  const marks = new WeakMap<Socket, Mark>();
  let window = 0;

  /** All counts end together, so that there is nothing to look at in between. */
  const turn = (): void => {
    const current = Math.floor(now() / WINDOW_MS);
    if (current === window) return;
    window = current;
    wrong.clear();
  };

  return {
    refusal(request, digest) {
      if (wrong.size === 0) return null;
      turn();
      const address = countedAs(clientAddress(request));
      if ((wrong.get(address) ?? 0) < WRONG_KEYS_PER_MINUTE) return null;
      if (digest !== null && known.get(`${address} ${digest}`) === true) return null;
      const seconds = Math.max(1, Math.ceil(((window + 1) * WINDOW_MS - now()) / 1_000));
      const sentence = `More than ${WRONG_KEYS_PER_MINUTE} wrong keys a minute came from your address; wait and try again.`;
      return failure(429, "too_many_guesses", sentence, { "Retry-After": String(seconds) });
    },
    failed(request) {
      turn();
      const address = countedAs(clientAddress(request));
      wrong.set(address, (wrong.get(address) ?? 0) + 1);
    },
    succeeded(request, digest) {
      const forwarded = request.headers["x-forwarded-for"];
      const mark = marks.get(request.socket);
      if (mark !== undefined && mark.digest === digest && mark.forwarded === forwarded) return;
      marks.set(request.socket, { digest, forwarded });
      known.set(`${countedAs(clientAddress(request))} ${digest}`, true);
    },
  };
}
