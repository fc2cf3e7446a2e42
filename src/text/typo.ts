/** What somebody probably meant to write, in commands, requests and settings. */
import { closest, distance } from "fastest-levenshtein";

const letters = (word: string): string => [...word].sort().join("");

/** One slip of the finger: a letter too many, too few or wrong, or letters in another order. */
const isSlip = (word: string, meant: string): boolean =>
  distance(word, meant) === 1 || (distance(word, meant) === 2 && letters(word) === letters(meant));

/** The known word that this one is a slip of; null when it is none's, or is itself known. */
export function meantBy(word: string, known: readonly string[]): string | null {
  const lower = word.toLowerCase();
  return known.includes(lower) ? null : (known.find((one) => isSlip(lower, one)) ?? null);
}

/** The nearest of the known words, slip or not, when it is near enough to be worth naming. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const one = closest(word.toLowerCase(), known);
  return distance(word.toLowerCase(), one) <= Math.floor(one.length / 2) ? one : null;
}

const MOST_KNOWN = 12;

/** What to say beside "not known": the name that was meant, else all there are, else nothing. */
export function hintFor(word: string, known: readonly string[]): string {
  const meant = meantBy(word, known) ?? nearest(word, known);
  if (meant !== null) return `; did you mean ${meant}?`;
  return known.length === 0 || known.length > MOST_KNOWN ? "." : `; there is ${known.join(", ")}.`;
}
