/** Says why a person's pull request is not worked on any further. */
import { counted } from "../../text/plural.ts";
import { code } from "./plain.ts";

const MOST_NAMED = 5;

export const closed = (number: number): string =>
  `Pull request #${number} is not open any more, so nothing was pushed to it.`;

/** `pending`: how many of its checks are not done. */
export const needless = (pending: number): string =>
  pending === 0
    ? "No check of this pull request fails any more, so no run was begun."
    : `No check of this pull request fails any more, and ${counted(pending, "is", "are")} not done, so no run was begun. ` +
      "Comment `/job fix` again if one fails.";

export const moved = (branch: string): string =>
  `Somebody pushed to ${code(branch)} meanwhile, so nothing was pushed there and nothing is overwritten. ` +
  "Comment `/job fix` again to start from the branch as it is now.";

export const gone = (branch: string): string => `The branch ${code(branch)} does not exist any more.`;

export function sameFailure(names: readonly string[]): string {
  const named = names.slice(0, MOST_NAMED).map((name) => code(name));
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return (
    `The fix has changed nothing of the failure: ${named.join(", ")}${more} failed as before. ` +
    "Another attempt would do the same, so a person has to look; say more with `/job fix <what to do>`."
  );
}

/** `why`: the end of a sentence. */
export const keptBack = (why: string): string =>
  `The work was not pushed to the pull request's branch: ${why}. Read it on the job's branch, and take over what you want.`;

export const tooManyFiles = (): string => keptBack("it changes more files than can be checked");

/** `words`: GitHub's own, foreign text. */
export const refused = (branch: string, words: string): string =>
  `GitHub does not let the App push to ${code(branch)}: ${code(words)}. ` +
  "Let the App push there, or take the work from the job's branch.";
