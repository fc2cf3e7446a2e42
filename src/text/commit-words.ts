/**
 * Words of a commit message that GitHub obeys. Taking one out can put another together; so what is left then is parted by
 * other signs. For text that is normalised.
 */

/** Words that stop workflows when they stand in a commit message (github-facts 2.7), however their blanks are spelt. */
const SKIP_WORDS = /\[\s*((?:skip\s+(?:ci|actions))|(?:(?:ci|actions)\s+skip)|(?:no\s+ci))\s*\]/gi;
const SKIP_TRAILERS = /^[^\S\n\r\u2028\u2029]*skip-checks\s*:.*$/gim;
/** Trailers that would name somebody as author who is not. */
const NAMING_TRAILERS = /^[^\S\n\r\u2028\u2029]*(?:co-authored-by|signed-off-by|on-behalf-of)\s*:.*$/gim;

/** Amid a line, which lines joined may still make the beginning of one. */
const SKIP_KEY = /(skip)-(checks\s*:)/gi;

/** For what becomes a commit message. */
export const withoutSkips = (text: string): string =>
  text
    .replace(SKIP_WORDS, "")
    .replace(SKIP_TRAILERS, "")
    .replace(NAMING_TRAILERS, "")
    .replace(SKIP_WORDS, "($1)")
    .replace(SKIP_KEY, "$1 $2");
