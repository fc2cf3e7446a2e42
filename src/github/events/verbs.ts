/** The verbs of `/job`, and which of them a short text means that says nothing else. */
import { asJobId } from "../../domain/job/job.ts";
import { normalise } from "../../text/normalise.ts";
import { meantBy } from "../../text/typo.ts";

/** Words after `/job` that are not a task. */
export const VERBS = [
  "status",
  "cancel",
  "retry",
  "approve",
  "reject",
  "run-checks",
  "pay",
  "schedules",
  "resume",
  "doctor",
  "usage",
  "help",
] as const;
export type Verb = (typeof VERBS)[number];

const words = (text: string): readonly string[] => text.split(" ");

/** Common words for existing verbs. */
const SYNONYMS: ReadonlyMap<string, Verb> = new Map([
  ...words("stop abort discard halt kill quit terminate undo nevermind").map((word) => [word, "cancel"] as const),
  ...words("rerun again redo restart").map((word) => [word, "retry"] as const),
  ["accept", "approve"],
]);
const KNOWN = [...VERBS, ...SYNONYMS.keys()];

/** Among other words, one with fewer letters is taken for what it says. */
const SHORTEST_SLIP = 5;

const known = (word: string): Verb | null => VERBS.find((one) => one === word) ?? SYNONYMS.get(word) ?? null;

/** The verb that a word in lower case probably means: a typo, a form such as `cancelled`, or a synonym. */
export function verbMeant(word: string): Verb | null {
  const stem = word.replace(/(?:l?led|l?ling|ed|ing)$/, "");
  const slip = meantBy(word, KNOWN) ?? (stem.length < SHORTEST_SLIP ? null : meantBy(stem, KNOWN));
  return known(word) ?? known(stem) ?? known(slip ?? "");
}

/** What people say around a verb, as in `/job please cancel it now`. */
const FILLERS: ReadonlySet<string> = new Set(
  words(
    "a again all and asap be can could do for go i immediately is it job just kindly let lets me mind my now ok okay or please pls plz run s sorry t task thank thanks that the then there this to try want we will would you",
  ),
);

/** `don't` is read as two words. */
const NEGATIVES: ReadonlySet<string> = new Set(words("cannot don dont never no not shouldn shouldnt won wont wouldn"));

/** A command in many words has few of them. */
const LONGEST_REQUEST = 100;

/**
 * A tag or a comment that an editor has left around a command, as in `/job cancel<br>`. Only tags that say nothing by
 * themselves: `<abcd1234>`, `<Modal>` and `<if green>` are words of whoever wrote them.
 */
export const MARKUP =
  /<!--[^<>]*-->|<\/?(?:b|br|code|div|em|i|kbd|p|s|small|span|strong|sub|sup|u)(?:\s+[a-z-]+="[^"<>]*")*\s*\/?>/gi;
/** A character by its name or number, such as `&nbsp;`. */
const ENTITY = /&#?\w{1,10};/g;
const NO_WORD = /[^\p{L}\p{N}-]+/u;

const wordsOf = (task: string): string[] =>
  normalise(task)
    .replace(MARKUP, " ")
    .replace(ENTITY, " ")
    .toLowerCase()
    .replace(/\brun checks\b/, "run-checks")
    .split(NO_WORD)
    .filter((word) => /\w/.test(word));

// `say` is a word of a task, and no slip of `pay`
const verbAmongWords = (word: string): Verb | null => (word.length < SHORTEST_SLIP ? known(word) : verbMeant(word));

interface VerbMeant {
  readonly verb: Verb;
  readonly isNegative: boolean;
  /** By a word of its own; a negative word alone is taken for `cancel`. */
  readonly isNamed: boolean;
}

/** The verb that is all that a short task says, beside polite words and a job's id; null: it says something else, too. */
export function verbAmongFillers(task: string): VerbMeant | null {
  if (task.length > LONGEST_REQUEST) return null;
  const all = wordsOf(task);
  const isNegative = all.some((one) => NEGATIVES.has(one));
  const said = all.filter((one) => !FILLERS.has(one) && !NEGATIVES.has(one));
  if (said.length > 1 && asJobId(said.at(-1) ?? "") !== null && /\d/.test(said.at(-1) ?? "")) said.pop();
  const synonym = all.find((one) => SYNONYMS.has(one));
  const isNamed = said.length > 0 || synonym !== undefined;
  if (said.length === 0) said.push(synonym ?? (isNegative ? "cancel" : ""));
  const [verb = null, ...others] = said.map(verbAmongWords);
  return verb === null || others.includes(null) ? null : { verb, isNegative, isNamed };
}
