/**
 * One word for what fails, the same whenever the same fails: the names of the checks and the end of their logs, without
 * what differs from run to run, such as times, numbers and commit ids. Pure.
 */
import { createHash } from "node:crypto";

export interface FailingCheck {
  readonly name: string;
  /** The end of its log, or what it says of itself. */
  readonly says: string;
}

/** Where a runner's log begins to tell of a step. */
const STEP = "##[group]Run ";
/** Ids in hexadecimal digits, then numbers: both are new in every run. */
const CHANGING = /0x[0-9a-f]+|\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b|\d+/gi;

/** Lines of the step that failed, each once: tests run in any order. */
function lines(says: string): string[] {
  const begin = says.lastIndexOf(STEP);
  const told = (begin < 0 ? says : says.slice(begin)).replace(CHANGING, "#").split("\n");
  return [...new Set(told.map((line) => line.replace(/\s+/g, " ").trim()))].toSorted();
}

/** Null: nothing fails. */
export function signatureOf(failing: readonly FailingCheck[]): string | null {
  if (failing.length === 0) return null;
  const told = failing
    .map(({ name, says }) => [name, ...lines(says)])
    .toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(told)).digest("hex").slice(0, 32);
}
