/**
 * Finds environment variables that look like a setting but are not one. An unknown name with a prefix of Journeyman's
 * is a mistake; one that another program may use, or that resembles a known name, is reported and ignored.
 */

import { meantBy, nearest } from "../text/typo.ts";
import type { Environment } from "./environment.ts";

export interface OwnSettings {
  readonly known: readonly string[];
  /** Prefixes, each with its `_`, that nobody else uses: an unknown name is a mistake. */
  readonly refused: readonly string[];
  /** Prefixes that others may use, too. */
  readonly named: readonly string[];
  /** Whose settings these are: "this server". */
  readonly of: string;
}

/** What Kubernetes and Docker set for a service of that name, such as `journeyman`. */
const OF_A_SERVICE =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
/** Shorter names are too often those of other programs. */
const SHORTEST = 6;

const prefixIn = (prefixes: readonly string[], name: string): string | null =>
  prefixes.find((prefix) => name.startsWith(prefix)) ?? null;

/** Of the same prefix, which says nothing of what was meant. */
function sibling(name: string, prefix: string, known: readonly string[]): string | null {
  const rests = known.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length).toLowerCase());
  const one = nearest(name.slice(prefix.length), rests);
  return one === null ? null : `${prefix}${one.toUpperCase()}`;
}

/** A slip of a known name, whatever its prefix. */
function slipOf(name: string, known: readonly string[]): string | null {
  const names = known.filter((one) => one.length >= SHORTEST).map((one) => one.toLowerCase());
  return name.length < SHORTEST ? null : (meantBy(name, names)?.toUpperCase() ?? null);
}

const didYouMean = (one: string): string => `; did you mean ${one}?`;

/** More of a prefix are in the documentation. */
const MOST_NAMED = 4;

/** Not "remove it": it may be somebody else's. */
function others(prefix: string | null, known: readonly string[]): string {
  const all = prefix === null ? [] : known.filter((one) => one.startsWith(prefix));
  return all.length === 0 || all.length > MOST_NAMED ? "." : `; there is ${all.join(", ")}.`;
}

export function unknownSettings(
  variables: Environment,
  { known, refused, named, of }: OwnSettings,
): { readonly mistakes: readonly string[]; readonly notes: readonly string[] } {
  const mistakes: string[] = [];
  const notes: string[] = [];
  for (const name of Object.keys(variables)) {
    if (known.includes(name) || OF_A_SERVICE.test(name)) continue;
    const own = prefixIn(refused, name);
    const prefix = own ?? prefixIn(named, name);
    const slip = slipOf(name, known);
    const one = slip ?? (prefix === null ? null : sibling(name, prefix, known));
    if (own !== null) {
      const advice = one === null ? "; remove it" : didYouMean(one);
      mistakes.push(`${name}: there is no such setting${advice}`);
    } else if (prefix !== null || slip !== null) {
      const advice = one === null ? others(prefix, known) : didYouMean(one);
      notes.push(`${name} is no setting of ${of} and is ignored${advice}`);
    }
  }
  return { mistakes, notes };
}
