/** Suggests the intended word for a typo in commands, requests and settings. */
import { closest, distance } from "fastest-levenshtein";

const letters = (word: string): string => [...word].sort().join("");

/** One typing error: a letter too many, too few or wrong, or letters swapped. */
const isSlip = (word: string, meant: string): boolean =>
  distance(word, meant) === 1 || (distance(word, meant) === 2 && letters(word) === letters(meant));

/** The known word that this one is a typo of; null when there is none or the word is known itself. */
export function meantBy(word: string, known: readonly string[]): string | null {
  const lower = word.toLowerCase();
  return known.includes(lower) ? null : (known.find((one) => isSlip(lower, one)) ?? null);
}

/** The nearest known word, if near enough to suggest. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const one = closest(word.toLowerCase(), known);
  return distance(word.toLowerCase(), one) <= Math.floor(one.length / 2) ? one : null;
}

const MAX_SUGGESTED = 12;

/** The hint after "unknown": the intended name, else all names, else nothing. */
export function hintFor(word: string, known: readonly string[]): string {
  const meant = meantBy(word, known) ?? nearest(word, known);
  if (meant !== null) return `; did you mean ${meant}?`;
  return known.length === 0 || known.length > MAX_SUGGESTED ? "." : `; there is ${known.join(", ")}.`;
}
