/** Shows the model the reviews that a round is about: each comment with its place, its diff and what it suggests. */
import type { Brief } from "../../src/contracts/brief.ts";
import type { Review, ReviewComment, Suggestion } from "../../src/contracts/review.ts";
import { counted } from "../../src/text/plural.ts";
import { block } from "./data-block.ts";

const SIDES = { LEFT: ", of the version before the change", RIGHT: "" } as const;

function placeOf({ path, line, original_line, side }: ReviewComment): string {
  if (line !== null) return `${path}, line ${line}${SIDES[side]}`;
  if (original_line === null) return `${path}, the whole file`;
  return `${path}, at what was line ${original_line}${SIDES[side]} when it was written; that line is gone or has changed`;
}

function answersPart({ answers }: ReviewComment): string {
  if (answers === undefined) return "";
  const by = answers.by ?? "a deleted account";
  return answers.body === null
    ? `It answers a comment by ${by}, which is not shown, since they may not write to the repository.\n\n`
    : `It answers this comment by ${by}:\n${answers.body}\n\n`;
}

const commentBlock = (comment: ReviewComment): string =>
  block(
    "review_comment",
    `Comment ${comment.id} on ${placeOf(comment)}.\nThe diff, with that line last:\n${comment.hunk}\n\n${answersPart(comment)}It says:\n${comment.body}`,
  );

/** As JSON, which keeps every character; an escaped `<` cannot end the block. */
const suggestionJson = (path: string, { from, to, replaces, text }: Suggestion): string =>
  JSON.stringify({ path, from_line: from, to_line: to, replaces, with: text }).replaceAll("<", "\\u003c");

function suggestionBlock({ id, path, suggestions, line }: ReviewComment): string[] {
  if (suggestions.length === 0) return [];
  const moved = line === null ? " These line numbers are of the commit that was reviewed: find the text first." : "";
  const rows = suggestions.map((one) => suggestionJson(path, one)).join("\n");
  return [
    `Comment ${id} suggests exactly this in place of those lines, as if somebody had pressed “Commit suggestion”. Apply it to the character, unless it would break something: then say so in the reply.${moved}\n<suggestion>\n${rows}\n</suggestion>`,
  ];
}

function reviewPart({ id, by, body, commit, comments, left_out }: Review): string {
  const at = commit === null ? "" : ` It was written on commit ${commit}.`;
  const rest =
    left_out === 0
      ? ""
      : ` ${counted(left_out, "further comment is", "further comments are")} not shown: say so in the body.`;
  return [
    `Review ${id} of the pull request, by ${by ?? "a deleted account"}.${at}${rest}`,
    ...(body.trim() === "" ? [] : [block("review", body)]),
    ...comments.flatMap((comment) => [commentBlock(comment), ...suggestionBlock(comment)]),
  ].join("\n");
}

/** Empty in a round that no review has to do with. */
export const reviewParts = ({ reviews }: Pick<Brief, "reviews">): string[] => reviews.map(reviewPart);
