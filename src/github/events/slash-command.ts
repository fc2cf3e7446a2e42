/**
 * Parses the command in a comment. The first `/job` counts; everything after it is the task, unchanged. An invalid
 * command gets a suggestion and is never guessed.
 */

import type { SlashCommand } from "../../domain/job/github-event.ts";
import { asJobId, type JobId } from "../../domain/job/job.ts";
import { isBlank, normalise } from "../../text/normalise.ts";
import { counted } from "../../text/plural.ts";
import { meantBy } from "../../text/typo.ts";
import { findCommand, firstWord } from "./find-command.ts";
import { readFlags } from "./flags.ts";

/** Characters of a task, which is stored, pushed to the branch and paid for in every turn. */
export const TASK_LIMIT = 20_000;

/** Words after `/job` that are not a task. */
export const VERBS = ["status", "cancel", "retry", "approve", "reject", "run-checks", "pay", "help"] as const;
type Verb = (typeof VERBS)[number];

const mistaken = (sentence: string): SlashCommand => ({ verb: "mistaken", sentence });

/** A job's id as people write it, or its branch. */
const JOB_WORD = /^`?(?:job\/)?([a-z0-9]{8})`?[.!?]*$/;

/** Longer than a job's id, so that the two cannot be confused. */
const COMMIT_WORD = /^`?([0-9a-f]{9,40})`?[.!?]*$/;

const withJob = (id: string | undefined): { readonly job?: JobId } => {
  const job = asJobId(id ?? "");
  return job === null ? {} : { job };
};

/**
 * The text after a verb is not a job's id: ask back, so that neither a task begins by mistake nor a cancel is missed.
 */
const asksBack = (verb: Verb): SlashCommand => {
  const takes = verb === "help" ? "nothing" : "nothing but the id of a job";
  const reason = verb === "reject" ? " Put the reason on the lines below it." : "";
  return mistaken(
    `Did you mean \`/job ${verb}\`? It takes ${takes} after it.${reason} If this is a task, put two dashes before it: \`/job -- ${verb} …\`.`,
  );
};

const ENDS = ".,:;!?";
const MARKS = `${ENDS}"'\`*_~()[]<>`;

/** By hand: a regular expression would try each mark as the first. */
function withoutMarks(word: string): string {
  let end = word.length;
  while (end > 0 && ENDS.includes(word.charAt(end - 1))) end -= 1;
  return word.slice(0, end);
}

function bare(word: string): string {
  let [from, end] = [0, word.length];
  while (from < end && MARKS.includes(word.charAt(from))) from += 1;
  while (from < end && MARKS.includes(word.charAt(end - 1))) end -= 1;
  return word.slice(from, end).toLowerCase();
}

/** Common words for existing verbs. */
const SYNONYMS: ReadonlyMap<string, Verb> = new Map([
  ...(["stop", "abort", "discard", "halt", "kill", "quit", "terminate"] as const).map(
    (word) => [word, "cancel"] as const,
  ),
  ...(["rerun", "again"] as const).map((word) => [word, "retry"] as const),
  ...(["accept"] as const).map((word) => [word, "approve"] as const),
]);

/** The verb that a single word probably means: a typo, a decorated form or a synonym. */
function verbMeant(word: string): Verb | null {
  const plain = bare(word);
  const meant = meantBy(plain, VERBS) ?? plain;
  return VERBS.find((one) => one === meant) ?? SYNONYMS.get(plain) ?? null;
}

/** What people say around a verb, as in `/job please cancel it now`. */
const FILLERS: ReadonlySet<string> = new Set(
  "a again all and asap can could do for go i immediately it job just kindly me my now ok okay please pls plz run sorry task thank thanks that the then there this to try want we will would you".split(
    " ",
  ),
);
/** A command in many words has few of them. */
const LONGEST_REQUEST = 100;
/** Among other words, one with fewer letters is taken for what it says. */
const SHORTEST_SLIP = 5;

/**
 * A tag or a comment that an editor has left around a command, as in `/job cancel<br>`. Only tags that say nothing by
 * themselves: `<abcd1234>`, `<Modal>` and `<if green>` are words of whoever wrote them.
 */
const MARKUP =
  /<!--[^<>]*-->|<\/?(?:b|br|code|div|em|i|kbd|p|s|small|span|strong|sub|sup|u)(?:\s+[a-z-]+="[^"<>]*")*\s*\/?>/gi;
/** A character by its name or number, such as `&nbsp;`. */
const ENTITY = /&#?\w{1,10};/g;
const NO_WORD = /[^\p{L}\p{N}-]+/u;

/** The verb that is all that a short task says, beside polite words and a job's id; null: it says something else, too. */
function verbAmongFillers(task: string): Verb | null {
  if (task.length > LONGEST_REQUEST) return null;
  const words = normalise(task)
    .replace(MARKUP, " ")
    .replace(ENTITY, " ")
    .toLowerCase()
    .replace(/\brun checks\b/, "run-checks")
    .split(NO_WORD)
    .filter((word) => /\w/.test(word));
  const said = words.filter((one) => !FILLERS.has(one));
  const [word = words.find((one) => SYNONYMS.has(one)), id, ...more] = said;
  if (word === undefined || more.length > 0) return null;
  const isNamed = id === undefined || (JOB_WORD.test(id) && /\d/.test(id));
  if (!isNamed) return null;
  // `say` is a word of a task, and no slip of `pay`
  return word.length < SHORTEST_SLIP
    ? (VERBS.find((one) => one === word) ?? SYNONYMS.get(word) ?? null)
    : verbMeant(word);
}

/** The verb of this line with the text below it, or its mistake; null when the line is part of a task. */
function readVerb(line: string, below: string, flagged: boolean): SlashCommand | null {
  const [word = "", ...rest] = line.split(/[\s,;]+/).filter((one) => one !== "");
  const name = withoutMarks(word);
  const verb = VERBS.find((one) => one === name.toLowerCase());
  const ofFiles = verb === "run-checks" || verb === "approve";
  const commit = ofFiles ? COMMIT_WORD.exec(rest.at(-1) ?? "")?.[1] : undefined;
  if (commit !== undefined) rest.pop();
  const id = JOB_WORD.exec(rest[0] ?? "")?.[1];
  const isNamed = rest.length === 0 || (rest.length === 1 && id !== undefined);
  if (verb === undefined) {
    // A word of letters alone may belong to a task.
    const isAlone = below === "" && (rest.length === 0 || (isNamed && /\d/.test(id ?? "")));
    const meant = isAlone ? verbMeant(name) : null;
    return meant === null
      ? null
      : mistaken(`Did you mean \`/job ${meant}\`? If this is a task, write more than one word.`);
  }
  if (!isNamed || (verb === "help" && rest.length > 0)) return asksBack(verb);
  if (flagged) return mistaken(`Did you mean \`/job ${verb}\`? It takes no flags.`);
  if (verb === "help") return { verb };
  if (ofFiles) return { verb, ...withJob(id), ...(commit === undefined ? {} : { commit }) };
  return verb === "reject" ? { verb, reason: below, ...withJob(id) } : { verb, ...withJob(id) };
}

/** `text`: everything after `/job`. */
function readCommand(text: string): SlashCommand {
  const read = readFlags(text);
  if (!read.ok) return mistaken(read.sentence);
  const task = read.rest.trim();
  // Uses only the command's own line: a thank-you below `/job cancel` must not prevent the cancel.
  const line = (read.rest.split("\n", 1)[0] ?? "").trim();
  const below = task.slice(line.length).trim();
  const other = read.literal ? null : readVerb(line.replace(MARKUP, " ").replace(/</g, " <").trim(), below, read.given);
  if (other !== null) return other;
  const meant = read.literal ? null : verbAmongFillers(task);
  if (meant !== null) return asksBack(meant);
  if (task.length > TASK_LIMIT) {
    return mistaken(
      `The task has ${counted(task.length, "character")}, but the limit is ${TASK_LIMIT}. Shorten it, or put the long part into a file of the repository and name that file.`,
    );
  }
  return { verb: "run", task: isBlank(task) ? "" : task, ...read.flags };
}

/** Null when the comment holds no command. */
export function readSlashCommand(comment: string): SlashCommand | null {
  const source = comment.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  if (!source.includes("/")) return null;
  const text = findCommand(source);
  if (text !== null) return readCommand(text);
  const word = firstWord(source)?.slice(1) ?? "";
  // Typos rarely change the first letter, and `/bob` or `/mob` may be another bot's command.
  const isSlip = word.length > 2 && /^j/i.test(word) && meantBy(word, ["job"]) !== null;
  return isSlip ? mistaken("Did you mean `/job`?") : null;
}
