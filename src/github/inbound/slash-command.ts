/**
 * What a comment asks of us. The first `/job` counts; its task is everything after it, kept as it was written. What is
 * understood as a command but is no valid one is answered with what was probably meant, never guessed at.
 */
import type { SlashCommand } from "../../job/signal.ts";
import { findCommand, firstWord } from "./find-command.ts";
import { readFlags } from "./flags.ts";
import { meantBy } from "./typo.ts";

/** Characters of a task: it is stored, written to the branch and paid for with every turn. */
export const TASK_LIMIT = 20_000;

const VERBS = ["status", "cancel", "retry", "approve", "reject", "pay", "help"] as const;

const mistaken = (sentence: string): SlashCommand => ({ verb: "mistaken", sentence });

/** The verb of this line, with what stands below it, or what is wrong with it; null when the line is (part of) a task. */
function readVerb(line: string, below: string, flagged: boolean): SlashCommand | null {
  const word = line.replace(/[.!?]+$/, "");
  const verb = VERBS.find((one) => one === word.toLowerCase());
  if (verb !== undefined && flagged) return mistaken(`Did you mean \`/job ${verb}\`? It takes no flags.`);
  if (verb === "reject") return { verb, reason: below };
  if (verb !== undefined) return { verb };
  const meant = below === "" ? meantBy(word, VERBS) : null;
  return meant === null
    ? null
    : mistaken(`Did you mean \`/job ${meant}\`? If this is a task, say it in more than one word.`);
}

/** `text`: everything after `/job`. */
function readCommand(text: string): SlashCommand {
  const read = readFlags(text);
  if (!read.ok) return mistaken(read.sentence);
  const task = read.rest.trim();
  // Only the command's own line: whoever adds a thank-you below `/job cancel` still wants to cancel.
  const line = (read.rest.split("\n", 1)[0] ?? "").trim();
  const other = read.literal ? null : readVerb(line, task.slice(line.length).trim(), read.given);
  if (other !== null) return other;
  if (task.length > TASK_LIMIT) {
    return mistaken(
      `The task has ${task.length} characters, and ${TASK_LIMIT} are the most. Shorten it, or put the long part into a file of the repository and name that file.`,
    );
  }
  return { verb: "run", task, ...read.flags };
}

/** Null: nothing is asked of us. */
export function readSlashCommand(comment: string): SlashCommand | null {
  const source = comment.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  if (!source.includes("/")) return null;
  const text = findCommand(source);
  if (text !== null) return readCommand(text);
  const word = firstWord(source)?.slice(1) ?? "";
  // Slips hardly touch a word's first letter, and `/bob` or `/mob` may be another bot's command.
  const isSlip = word.length > 2 && /^j/i.test(word) && meantBy(word, ["job"]) !== null;
  return isSlip ? mistaken("Did you mean `/job`?") : null;
}
