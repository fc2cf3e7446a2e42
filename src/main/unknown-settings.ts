/**
 * Variables that look like settings of ours and are none. Whoever set them meant something by it, so the server does not
 * begin with one that only we can be meant by; one that may be somebody else's is named, where it is a slip of a known name.
 */

import { meantBy, nearest } from "../text/typo.ts";
import type { Environment } from "./environment.ts";

const OURS = /^(?:JOURNEYMAN|LLM|GHE|QUOTA)_/;
/** What Kubernetes and Docker set for a service of that name, such as `journeyman`. */
const OF_A_SERVICE =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
const prefixOf = (name: string): string => OURS.exec(name)?.[0] ?? "";
/** Shorter names are too often those of other programs. */
const SHORTEST = 6;

export function unknownSettings(
  variables: Environment,
  known: readonly string[],
): { readonly mistakes: readonly string[]; readonly notes: readonly string[] } {
  const names = known.map((name) => name.toLowerCase());
  /** Of the same prefix, which says nothing of what was meant. */
  const sibling = (name: string): string | null => {
    const prefix = prefixOf(name).toLowerCase();
    const rests = names.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
    const one = nearest(name.slice(prefix.length), rests);
    return one === null ? null : `${prefix}${one}`;
  };
  const unknown = Object.keys(variables).filter((name) => !known.includes(name) && !OF_A_SERVICE.test(name));
  const meant = (one: string | null): string => (one === null ? "remove it" : `did you mean ${one.toUpperCase()}?`);
  return {
    mistakes: unknown
      .filter((name) => OURS.test(name))
      .map((name) => `${name}: there is no such setting; ${meant(sibling(name))}`),
    notes: unknown
      .filter((name) => !OURS.test(name) && name.length >= SHORTEST)
      .flatMap((name) => {
        const one = meantBy(
          name,
          names.filter((other) => other.length >= SHORTEST),
        );
        return one === null ? [] : [`${name} is no setting of this server and is ignored; ${meant(one)}`];
      }),
  };
}
