/**
 * What of GitHub's own events starts a trigger's jobs (`on`), and what its task may name of it. Filters are globs of a
 * whole text, in any case of letters.
 */
import * as z from "zod";
import { GlobSet, globMistake } from "../text/glob.ts";
import { head } from "../text/text.ts";

/** What a text is compared with, and how much of it. */
const MAX_COMPARED = 300;
const MAX_COMPARISONS = 200_000;
const MAX_FILTERS = 20;

/** A slash is a character like any other: no text here is a path. */
const flat = (text: string): string => text.toLowerCase().replaceAll("/", "\u2215").replaceAll("\\", "\u2216");

export type FitsText = (globs: readonly string[], ...texts: readonly string[]) => boolean;

/** Whether a glob fits one of the texts. For one piece of news: all triggers that look at it share the comparisons. */
export function textMatcher(): FitsText {
  let left = MAX_COMPARISONS;
  return (globs, ...texts) => {
    const set = new GlobSet(globs.map(flat), { below: false, limit: left });
    const fits = texts.some((text) => set.matches(flat(head(text, MAX_COMPARED)))) && !set.isSpent;
    left = Math.max(0, left - set.steps);
    return fits;
  };
}

const glob = z.string().superRefine((text, { addIssue }) => {
  const mistake = globMistake(flat(text));
  if (mistake !== null) addIssue(mistake);
});
const globs = z.array(glob).min(1).max(MAX_FILTERS);

/** Whose issues and labels count: of people who may write, unless the owner says that anybody may spend the money. */
const author = z.enum(["writers", "anyone"]).default("writers");

/** `[bot]` ends the login of each bot, and is no glob. */
const botless = (login: string): string => login.replace(/\[bot\]$/i, "");
const botGlob = z.string().superRefine((text, { addIssue }) => {
  const mistake = globMistake(flat(botless(text)));
  if (mistake !== null) addIssue(mistake);
});
const DEPENDENCY_BOTS = ["dependabot[bot]", "renovate[bot]"];

export const matchesBot = (fits: FitsText, globs: readonly string[], login: string): boolean =>
  fits(globs.map(botless), botless(login));

/** A key without a value means all of it. */
const event = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.preprocess((given) => given ?? {}, z.strictObject(shape));

export const onSchema = z.union([
  z.strictObject({ issue_opened: event({ labels: globs.optional(), title: glob.optional(), author }) }),
  z.strictObject({ issue_labelled: event({ label: glob.optional(), author }) }),
  z.strictObject({ check_failed: event({ checks: globs.optional() }) }),
  z.strictObject({
    dependency_pull_request_failed: event({
      authors: z.array(botGlob).min(1).max(MAX_FILTERS).default(DEPENDENCY_BOTS),
    }),
  }),
  z.strictObject({ release_published: event({ tag: glob.optional() }) }),
]);

export type On = z.output<typeof onSchema>;

const OF_ISSUE = ["issue", "issue.number", "issue.title", "issue.body", "issue.author", "issue.labels"];
const OF_CHECK = ["check", "check.name", "check.url", "check.commit", "check.branch"];
const OF_PULL_REQUEST = ["number", "title", "author", "branch", "commit", "url", "checks"].map(
  (name) => `pull_request.${name}`,
);
const OF_RELEASE = ["release", "release.tag", "release.name", "release.body", "release.url"];

/** What a task may name. */
export function namesOf(on: On): readonly string[] {
  if ("issue_opened" in on) return OF_ISSUE;
  if ("issue_labelled" in on) return [...OF_ISSUE, "label"];
  if ("dependency_pull_request_failed" in on) return ["pull_request", ...OF_PULL_REQUEST];
  return "check_failed" in on ? OF_CHECK : OF_RELEASE;
}

export const rootsOf = (on: On): readonly string[] => [...new Set(namesOf(on).flatMap((name) => name.split(".", 1)))];
