/**
 * Parses the command in a comment. The first `/job` counts; everything after it is the task, unchanged. An invalid
 * command gets a suggestion and is never guessed.
 */

import type { SlashCommand } from "../../domain/job/github-event.ts";
import { asJobId, type JobId } from "../../domain/job/job.ts";
import { isBlank } from "../../text/normalise.ts";
import { counted } from "../../text/plural.ts";
import { meantBy } from "../../text/typo.ts";
import { findCommand, firstWord } from "./find-command.ts";
import { readFlags } from "./flags.ts";
import { type RetryAsked, readRetryLimits } from "./retry-limits.ts";
import { MARKUP, VERBS, type Verb, verbAmongFillers, verbMeant } from "./verbs.ts";

/** Characters of a task, which is stored, pushed to the branch and paid for in every turn. */
export const TASK_LIMIT = 20_000;

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
type Alone = Extract<Verb, "help" | "doctor" | "usage">;

const isAlone = (verb: Verb): verb is Alone => verb === "help" || verb === "doctor" || verb === "usage";
const takesNothing = (verb: Verb): boolean => isAlone(verb) || verb === "schedules";

/** A schedule's name as people write it. */
const SCHEDULE_WORD = /^`?([A-Za-z0-9][\w.-]{0,62})`?$/;

const asksBack = (verb: Verb): SlashCommand => {
  const one = verb === "resume" ? "the name of a schedule" : "the id of a job";
  const takes = takesNothing(verb) ? "nothing" : `nothing but ${one}`;
  const reason = verb === "reject" ? " Put the reason on the lines below it." : "";
  return mistaken(
    `Did you mean \`/job ${verb}\`? It takes ${takes} after it.${reason} If this is a task, put two dashes before it: \`/job -- ${verb} …\`.`,
  );
};

/** `answer`: the text, where it names no verb and so may answer a question. */
const negative = (verb: Verb, answer: string | null): SlashCommand => ({
  ...{
    verb: "mistaken",
    sentence: `Nothing was changed and no job was started. If you mean \`/job ${verb}\`, write it without other words. If this is a task, put two dashes before it: \`/job -- …\`.`,
  },
  ...(answer === null ? {} : { answer }),
});

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
    const meant = isAlone ? verbMeant(bare(name)) : null;
    return meant === null
      ? null
      : mistaken(`Did you mean \`/job ${meant}\`? If this is a task, write more than one word.`);
  }
  const schedule = SCHEDULE_WORD.exec(withoutMarks(rest[0] ?? ""))?.[1];
  const isWhole = verb === "resume" ? rest.length === (schedule === undefined ? 0 : 1) : isNamed;
  if (!isWhole || (takesNothing(verb) && rest.length > 0)) return asksBack(verb);
  if (flagged) return mistaken(`Did you mean \`/job ${verb}\`? It takes no flags.`);
  if (isAlone(verb)) return { verb };
  if (verb === "schedules") return { verb };
  if (verb === "resume") return { verb, schedule: schedule ?? null };
  if (ofFiles) return { verb, ...withJob(id), ...(commit === undefined ? {} : { commit }) };
  return verb === "reject" ? { verb, reason: below, ...withJob(id) } : { verb, ...withJob(id) };
}

const retryWith = (read: SlashCommand | null, asked: RetryAsked): SlashCommand =>
  read === null || read.verb !== "retry" ? (read ?? asksBack("retry")) : { ...read, verb: "retry", ...asked };

/** `text`: everything after `/job`. */
function readCommand(text: string): SlashCommand {
  const read = readFlags(text);
  if (!read.ok) return mistaken(read.sentence);
  const task = read.rest.trim();
  // Uses only the command's own line: a thank-you below `/job cancel` must not prevent the cancel.
  const line = (read.rest.split("\n", 1)[0] ?? "").trim();
  const below = task.slice(line.length).trim();
  const retry = read.literal ? null : readRetryLimits(line.replace(MARKUP, " "));
  if (retry !== null)
    return retry.ok ? retryWith(readVerb(retry.line, below, read.given), retry.asked) : mistaken(retry.sentence);
  const other = read.literal ? null : readVerb(line.replace(MARKUP, " ").replace(/</g, " <").trim(), below, read.given);
  if (other !== null) return other;
  const meant = read.literal ? null : verbAmongFillers(task);
  if (meant !== null)
    return meant.isNegative ? negative(meant.verb, meant.isNamed ? null : task) : asksBack(meant.verb);
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
