/** Renders the comment that tells the requester that a job waits for a person, and the link to it. */
import { issueOf, type Job, questionOf } from "../../domain/job/job.ts";
import { webOf } from "../../domain/job/links.ts";
import { MOST_REVIEW_ROUNDS } from "../../domain/job/reviews.ts";
import { isOnTheirs } from "../../domain/job/target.ts";
import { closesSoon, goesOnWithMore } from "./line.ts";
import { mentionMarker } from "./marker.ts";
import { again, filesHeld, sendersTurn } from "./market.ts";
import { pullRequestLink } from "./numbers.ts";
import { code, cutBody, escapeMarkdown, oneLine, quoted } from "./plain.ts";
import { reasonList } from "./reasons.ts";

/** What was said whole stands in the job's comment. */
const MAX_QUOTE = 2_000;
/** A person's name; all else would mention somebody else, or nobody. */
const LOGIN = /^[a-z\d][a-z\d_-]{0,99}$/i;

const pull = ({ pull_request }: Job): string =>
  pull_request === null ? "the pull request" : `pull request ${pullRequestLink(pull_request)}`;

const sentence = (text: string): string => escapeMarkdown(oneLine(text)).replace(/\.$/, "");

function said(job: Job): readonly (string | null)[] {
  switch (job.mention?.why) {
    case "question":
      return [
        "the agent asks something before it goes on:",
        quoted(questionOf(job) ?? "", MAX_QUOTE),
        "Answer here with `/job <answer>`.",
      ];
    case "failed":
      return [
        "the job failed:",
        quoted(job.failure ?? "Nothing more is known.", MAX_QUOTE),
        goesOnWithMore(job),
        isOnTheirs(job) ? "`/job fix` begins anew." : again(job),
      ];
    case "sender":
      return ["the work is handed in and waits for its sender.", filesHeld(job), sendersTurn(job)];
    case "reviews":
      return [
        `reviews have begun ${MOST_REVIEW_ROUNDS} rounds on the pull request, which is the most.`,
        `\`/job <text>\` on ${pull(job)} begins another round, with the reviews that wait.`,
      ];
    case "stuck":
      return [`${pull(job)} cannot merge by itself: ${sentence(job.catch_up.stuck ?? "a person must look")}.`];
    case "checks":
      return [`${pull(job)} waits for checks of which nothing is heard:`, reasonList(job.reasons.slice(0, 1))];
    case "merge":
      return [
        `${pull(job)} is good, and GitHub does not merge it: ${sentence(job.merge.state === "off" ? job.merge.why : "")}.`,
      ];
    case "expiry":
      return [`${pull(job)}:`, closesSoon(job)];
    default:
      return [];
  }
}

const commentLink = (job: Job, web_url: string | null, id: number): string | null => {
  const web = webOf(job, web_url);
  const issue = issueOf(job.origin);
  return web === null || issue === null ? null : `${web}/issues/${issue}#issuecomment-${id}`;
};

/** Null: there is nobody to mention, or nothing to say. */
export function mentionComment(job: Job, web_url: string | null): string | null {
  const { requester, mention, comment } = job;
  const [first, ...more] = said(job).filter((part) => part !== null);
  if (requester === null || mention === null || first === undefined || !LOGIN.test(requester)) return null;
  const url = comment === null ? null : commentLink(job, web_url, comment.id);
  const footer = `<sub>${url === null ? "Job" : `[Job](${url})`} ${code(job.id)}</sub>`;
  return cutBody(
    [`@${requester}, ${first}`, ...more].join("\n\n"),
    `\n\n${footer}\n\n${mentionMarker(job.id, mention.round)}`,
  );
}

/** Where the requester was told of what the job waits for; null: they were not, or it goes on. */
export function mentionLine(job: Job, web_url: string | null): string | null {
  const { mention, requester, status, merged_at } = job;
  if (mention === null || mention.round !== job.round || mention.comment_id === null) return null;
  if (merged_at !== null || status === "queued" || status === "accepted" || status === "cancelled") return null;
  const url = commentLink(job, web_url, mention.comment_id);
  return url === null ? null : `${code(requester ?? "")} was [told in a comment](${url}).`;
}
