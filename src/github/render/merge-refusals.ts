/**
 * Explains why GitHub did not merge. GitHub's messages are matched and not shown. The phrases end other sentences, so
 * they have no full stop.
 */
import { code } from "./plain.ts";

export const closed = (): string => "the pull request is closed";
export const moved = (): string => "the branch has changed since the last evaluation";
export const draft = (): string => "the pull request is a draft; mark it as ready";
export const forbidden = (): string =>
  "the App may not merge into this branch; allow it in the branch's rules, or merge the pull request yourself";
export const noMethod = (method: string): string =>
  `this repository does not allow ${code(method)} merges; choose another \`auto_merge.method\` in its settings`;
/** An App may not push workflow files, not even those that the base branch has already. */
const WORKFLOWS = /workflows\W* permission/i;
export const notUpdated = (words: string): string =>
  WORKFLOWS.test(words)
    ? "the base branch has changed workflow files, which the App may not push; press “Update branch”"
    : "GitHub did not do it when it was asked; press “Update branch”";
export const nothingHeldBack = (): string => "nothing holds the pull request back any more";
export const autoMergeNotAllowed = (): string =>
  "auto-merge is disabled in the repository's settings on GitHub; enable “Allow auto-merge”, or merge it yourself";
export const unprotected = (): string => "no rule of the branch asks GitHub to wait for anything";

export const notQueued = (): string => "GitHub did not add it to the merge queue, and does not say why";

const KNOWN: readonly { readonly words: RegExp; readonly sentence: string; readonly final?: true }[] = [
  {
    words: /merge queue/i,
    sentence: "the branch takes merges through a merge queue only; add the pull request to it",
    final: true,
  },
  { words: /base branch was modified/i, sentence: "the base branch changed at the same time" },
  { words: /not up to date|out-of-date|behind/i, sentence: "the base branch must be merged into it first" },
  { words: /approving review|review is required|changes requested/i, sentence: "a review is missing" },
  { words: /required status check|status checks/i, sentence: "a required check has not passed" },
  { words: /signature|signed/i, sentence: "the branch requires signed commits", final: true },
  { words: /linear history/i, sentence: "the branch requires a linear history", final: true },
  { words: /conflict/i, sentence: "it conflicts with the base branch; resolve the conflicts" },
  { words: /can't be rebased|cannot be rebased/i, sentence: "its commits cannot be rebased", final: true },
];

export const ofWords = (words: string): string =>
  KNOWN.find((known) => known.words.test(words))?.sentence ?? "GitHub says that it cannot be merged now";

/** Of an order for the merge queue. */
export const ofQueueWords = (words: string): string =>
  /merge queue|queue is/i.test(words) ? notQueued() : ofWords(words);

/** A retry will not help. */
export const isFinal = (words: string): boolean => KNOWN.find((known) => known.words.test(words))?.final ?? false;
