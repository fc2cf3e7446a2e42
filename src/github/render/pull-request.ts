/** Renders a job's pull request and the App's own commit on its branch. The agent's text is foreign text. */

import { LOGIN } from "../../contracts/repository-name.ts";
import { isOnMarket, issueOf, type Job } from "../../domain/job/job.ts";
import { jobMarker } from "./marker.ts";
import { modelLine, startLine, usageLine } from "./numbers.ts";
import { code, commitLine, cutBody, escapeMarkdownBody, titleLine } from "./plain.ts";

/** A login by GitHub's rules; anything else gets no trailer. */

const requesterOf = (job: Job): string | null =>
  job.requester !== null && LOGIN.test(job.requester) ? job.requester : null;

const wordsOf = (job: Job): string => job.result?.title || job.title;

const FOR_SENDER =
  "<sub>The sender of this job can comment `/job approve` to accept it, or `/job reject` to send it back.</sub>";

export const pullRequestTitle = (job: Job): string => titleLine(wordsOf(job));

/** `closes`: the pull request targets the default branch, from which alone GitHub closes issues. */
export function pullRequestBody(job: Job, closes: boolean): string {
  const issue = issueOf(job.origin);
  const requester = requesterOf(job);
  const usage = usageLine(job);
  const model = modelLine(job);
  const footer = [
    ...(model === null ? [] : [model]),
    ...(issue === null ? [] : [`${closes ? "Closes" : "For"} #${issue}`]),
    [`Job ${code(job.id)}`, requester === null ? startLine(job) : `requested by @${requester}`, usage]
      .filter((part) => part !== null)
      .join(" · "),
    isOnMarket(job) ? FOR_SENDER : "<sub>Comment `/job <text>` here to ask for changes.</sub>",
    jobMarker(job.id),
  ].join("\n\n");
  const said = escapeMarkdownBody(job.result?.body ?? "") || titleLine(wordsOf(job));
  return cutBody(said, `\n\n---\n\n${footer}`);
}

/** The commit that removes the job's folder stands for the whole work, so it names the requester. */
export function finishMessage(job: Job): { readonly headline: string; readonly body: string } {
  const requester = requesterOf(job);
  const trailer = requester === null ? "" : `\n\nCo-authored-by: ${requester} <${requester}@users.noreply.github.com>`;
  return { headline: commitLine(wordsOf(job)), body: `Job: ${job.id}${trailer}` };
}
