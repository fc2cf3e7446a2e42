/**
 * Removes words from commit messages that GitHub obeys. A removal can create another such word, so any that are left
 * are broken up. Expects normalised text.
 */

/** Words in a commit message that skip workflows, with any kind of blanks. */
const SKIP_WORDS = /\[\s*((?:skip\s+(?:ci|actions))|(?:(?:ci|actions)\s+skip)|(?:no\s+ci))\s*\]/gi;
const SKIP_TRAILERS = /^[^\S\n\r\u2028\u2029]*skip-checks\s*:.*$/gim;
/** Trailers that would credit somebody who is not the author. */
const NAMING_TRAILERS = /^[^\S\n\r\u2028\u2029]*(?:co-authored-by|signed-off-by|on-behalf-of)\s*:.*$/gim;

/** In the middle of a line, since joining lines can move it to the start of one. */
const SKIP_KEY = /(skip)-(checks\s*:)/gi;

/** Cleans text that becomes a commit message. */
export const withoutSkips = (text: string): string =>
  text
    .replace(SKIP_WORDS, "")
    .replace(SKIP_TRAILERS, "")
    .replace(NAMING_TRAILERS, "")
    .replace(SKIP_WORDS, "($1)")
    .replace(SKIP_KEY, "$1 $2");
